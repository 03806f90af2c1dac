/**
 * The text of an iCalendar file (RFC 5545) cut into its events, so that each can be read, or refused, for itself. As exporters write
 * them, not only as they should: any line ends, a missing end, stray lines.
 */
import type { ImportProblem } from "@englog/domain/imports/ImportedItem"
import { problemOf } from "../ImportText.ts"

export interface IcsBlock {
  /** Line on which it begins, from 1. */
  readonly row: number
  /** Unfolded content lines, without BEGIN and END. */
  readonly lines: ReadonlyArray<IcsLine>
}

export interface IcsLine {
  readonly row: number
  readonly text: string
}

export interface IcsText {
  readonly events: ReadonlyArray<IcsBlock>
  /** As they stand, with what is within them. */
  readonly timezones: ReadonlyArray<IcsBlock>
  /** Of the calendar itself, by upper-case name, parameters left out. */
  readonly properties: ReadonlyMap<string, string>
  readonly problems: ReadonlyArray<ImportProblem>
}

export const readIcsText = (text: string): IcsText => {
  const lines = unfolded(text)
  const events: Array<IcsBlock> = []
  const timezones: Array<IcsBlock> = []
  const properties = new Map<string, string>()
  const problems: Array<ImportProblem> = []
  let open: { readonly name: string; readonly row: number; readonly lines: Array<IcsLine> } | undefined
  let inner: string | undefined
  let ended = false
  for (const line of lines) {
    const [, bound, name] = BOUND.exec(line.text) ?? []
    const begins = bound?.toUpperCase() === "BEGIN"
    const component = name?.toUpperCase()
    if (open === undefined) {
      if (component === undefined) keep(properties, line.text)
      else if (component === "VCALENDAR") ended = !begins
      else if (begins) open = { name: component, row: line.row, lines: [] }
      continue
    }
    if (open.name === "VTIMEZONE" && !(component === "VTIMEZONE" && !begins)) {
      open.lines.push(line)
      continue
    }
    if (inner !== undefined) {
      // An alarm says nothing about what was done.
      if (component === inner && !begins) inner = undefined
      else if (component === open.name && !begins) [inner, open] = [undefined, closed(open, events, timezones)]
    } else if (component === undefined) {
      open.lines.push(line)
    } else if (begins && component !== open.name) {
      inner = component
    } else if (begins) {
      problems.push(problemOf({ row: open.row, error: `the ${open.name} does not end before the next one begins` }))
      open = { name: component, row: line.row, lines: [] }
    } else if (component === open.name) {
      open = closed(open, events, timezones)
    } else {
      problems.push(problemOf({ row: open.row, error: `the ${open.name} does not end before the end of ${component}` }))
      open = undefined
      ended ||= component === "VCALENDAR"
    }
  }
  if (open !== undefined) problems.push(problemOf({ row: open.row, error: `the file ends within this ${open.name}: it was cut off` }))
  else if (!ended) problems.push(problemOf({ row: lines.at(-1)?.row ?? 1, error: "the file ends without END:VCALENDAR: it may have been cut off" }))
  return { events, timezones, properties, problems }
}

const BOUND = /^(BEGIN|END)\s*:\s*([A-Za-z0-9-]+)\s*$/i

const closed = (open: { readonly name: string; readonly row: number; readonly lines: ReadonlyArray<IcsLine> }, events: Array<IcsBlock>, timezones: Array<IcsBlock>): undefined => {
  const block = { row: open.row, lines: open.lines }
  if (open.name === "VEVENT") events.push(block)
  if (open.name === "VTIMEZONE") timezones.push(block)
  return undefined
}

const keep = (properties: Map<string, string>, text: string) => {
  const [, name, value] = /^([A-Za-z0-9-]+)(?:;[^:]*)?:(.*)$/s.exec(text) ?? []
  if (name !== undefined && value !== undefined) properties.set(name.toUpperCase(), value.trim())
}

const PROPERTY = /^[A-Za-z0-9-]+\s*[;:]/

/** Folded lines are one; a line that is no property at all is what an exporter forgot to escape, and belongs to the one before. */
const unfolded = (text: string): ReadonlyArray<IcsLine> => {
  const lines: Array<{ readonly row: number; readonly parts: Array<string> }> = []
  for (const [index, line] of text.replace(/^\uFEFF/, "").split(/\r\n|\n|\r/).entries()) {
    const before = lines.at(-1)
    if (/^[ \t]/.test(line) && before !== undefined) before.parts.push(line.slice(1))
    else if (line.trim() === "") continue
    else if (PROPERTY.test(line) || before === undefined) lines.push({ row: index + 1, parts: [line] })
    else before.parts.push(`\\n${line}`)
  }
  return lines.map(({ parts, row }) => ({ row, text: parts.join("") }))
}

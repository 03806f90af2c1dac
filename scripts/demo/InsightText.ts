/** An insight as text for a terminal: what it says, then the facts that it states. */
import type { Fact } from "@englog/domain/facts/Fact"
import type { Insight } from "@englog/domain/insights/Insight"
import { citedFacts } from "./CitedFacts.ts"

export const insightText = (insight: Insight, width: number): ReadonlyArray<string> => {
  const cited = citedFacts(insight.content, insight.facts)
  return [
    ...insight.content.trim().split("\n").flatMap((line) => wrap(line, width)),
    "",
    `Facts (${cited.length} of ${insight.facts.length} are stated above)`,
    ...table(cited, width)
  ]
}

const table = (facts: ReadonlyArray<Fact>, width: number): ReadonlyArray<string> => {
  const column = Math.min(Math.floor(width * 0.7), Math.max(0, ...facts.map(({ label }) => [...label].length)))
  return facts.map(({ label, text }) => `  ${cut(label, column).padEnd(column)}  ${text}`)
}

const cut = (text: string, length: number): string => [...text].length <= length ? text : `${[...text].slice(0, length - 1).join("")}…`

/** Breaks between words; what follows a list's mark is indented under its text. */
const wrap = (line: string, width: number): ReadonlyArray<string> => {
  const indent = " ".repeat(/^\s*(?:[-*]|\d+\.)?\s*/.exec(line)?.[0].length ?? 0)
  const lines: Array<string> = []
  let current = ""
  for (const word of line.trimEnd().split(/(?<=\S) +/)) {
    if (current !== "" && current.length + 1 + word.length > width) {
      lines.push(current)
      current = indent + word
    } else current = current === "" ? word : `${current} ${word}`
  }
  return [...lines, current]
}

/**
 * Every sentence of a stored text: whether it is what was checked when it was stored, and whether each of its figures still
 * stands on a fact, on an entry that its paragraph cites, or on the request's context.
 *
 * The sentences that were checked are found in the text one after the other; whatever lies between them was not checked by
 * anybody. Emphasis, quotation marks of Markdown and white space, which laying out adds and takes away, do not count.
 */
import type { Fact, FactId } from "../facts/Fact.ts"
import type { LocalClock } from "../facts/LocalTime.ts"
import { NOTHING_VERIFIED } from "../figures/FigureCheck.ts"
import { figuresIn } from "../figures/Figures.ts"
import { type CitedEntry, contextFigures, entryFigures, union } from "../figures/FigureSource.ts"
import type { EntryId } from "../Ids.ts"
import type { Citation, InsightContext, Statement } from "../insights/Insight.ts"
import type { VerifiedFigure, VerifiedSentence } from "./Verification.ts"

export interface TextVerificationInput {
  readonly content: string
  readonly statements: ReadonlyArray<Statement>
  readonly citations: ReadonlyArray<Citation>
  readonly was: ReadonlyArray<Fact>
  readonly now: ReadonlyArray<Fact>
  /** As they are today; those that are gone are not among them. */
  readonly entries: ReadonlyArray<CitedEntry>
  readonly clock: LocalClock
  readonly context: InsightContext | null
}

export const verifyText = (input: TextVerificationInput): ReadonlyArray<VerifiedSentence> => {
  if (input.statements.length === 0 && input.content === NOTHING_VERIFIED) return []
  const judge = makeJudge(input)
  return pieces(input.content, input.statements).map(({ statement, text }) => {
    const as_checked = statement !== undefined && text !== ""
    const figures = as_checked ? judge(statement) : [...figuresIn(text)].map(unfounded)
    return { sentence: statement?.text ?? text, as_checked, figures, resolves: as_checked && figures.every(({ resolves }) => resolves) }
  })
}

interface Piece {
  /** Undefined where nobody checked it. */
  readonly statement: Statement | undefined
  /** As it stands; empty where a statement is missing from the text. */
  readonly text: string
}

/** Statements and what lies between them, in the order of the text. */
const pieces = (content: string, statements: ReadonlyArray<Statement>): ReadonlyArray<Piece> => {
  const { at, text } = squeezed(content)
  const found: Array<Piece> = []
  let from = 0
  const between = (to: number) => {
    const start = from === 0 ? 0 : (at[from - 1] ?? 0) + 1
    const lines = content.slice(start, to < at.length ? at[to] : content.length).split("\n").map((line) => line.trim().replace(STRUCTURE, "").trim())
    for (const line of lines) if (WORDS.test(line)) found.push({ statement: undefined, text: line })
  }
  for (const statement of statements) {
    const wanted = squeezed(statement.text).text
    const place = wanted === "" ? -1 : text.indexOf(wanted, from)
    if (place < 0) {
      if (wanted !== "") found.push({ statement, text: "" })
      continue
    }
    between(place)
    from = place + wanted.length
    found.push({ statement, text: statement.text })
  }
  between(at.length)
  return found
}

/** What laying out puts before, between and after sentences. */
const STRUCTURE = /^[\s>*]*(?:#{1,6}|[-*+]|\d{1,9}[.)]|-{3,}|`{3,}[^`]*|~{3,}[^~]*|\|?[\s:|-]+\|?)?\s*(?=$|[^\d\s])/
const WORDS = /[\p{L}\p{N}]/u
const IGNORED = /[\s*>\\]/

/** The characters that count, and where in the text each of them stands. */
const squeezed = (markdown: string): { readonly text: string; readonly at: ReadonlyArray<number> } => {
  const at: Array<number> = []
  let text = ""
  for (let i = 0; i < markdown.length; i++) {
    const character = markdown[i] ?? ""
    if (IGNORED.test(character)) continue
    text += character
    at.push(i)
  }
  return { text, at }
}

const makeJudge = ({ citations, clock, context, entries, now, was }: TextVerificationInput) => {
  const [stored, today] = [byId(was), byId(now)]
  const shown = new Map(entries.map((entry) => [entry.id, entry]))
  const asked = contextFigures(context)
  const cited = new Map(citations.map(({ entry_ids, paragraph }) => [paragraph, union(entry_ids.flatMap((id) => figuresOf(shown, id, clock)))]))
  return ({ facts, paragraph, text }: Statement): ReadonlyArray<VerifiedFigure> => {
    const stating = facts.flatMap((id) => stored.get(id) ?? [])
    const told = new Set(stating.flatMap((fact) => [...figuresIn(fact.text)]))
    const own = [...figuresIn(text)].filter((figure) => !told.has(figure)).map((figure): VerifiedFigure => {
      const source = cited.get(paragraph)?.has(figure) === true ? "entry" as const : asked.has(figure) ? "context" as const : "none" as const
      return { figure, source, fact_id: null, resolves: source !== "none", now: null }
    })
    return [...stating.map((fact) => factFigure(fact, today.get(fact.id))), ...own]
  }
}

const factFigure = (was: Fact, now: Fact | undefined): VerifiedFigure => ({
  figure: was.text,
  source: "fact",
  fact_id: was.id,
  resolves: now?.text === was.text,
  now: now === undefined || now.text === was.text ? null : now.text
})

const figuresOf = (shown: ReadonlyMap<EntryId, CitedEntry>, id: EntryId, clock: LocalClock): ReadonlyArray<ReadonlySet<string>> => {
  const entry = shown.get(id)
  return entry === undefined ? [] : [entryFigures(entry, clock)]
}

const byId = (facts: ReadonlyArray<Fact>): ReadonlyMap<FactId, Fact> => new Map(facts.map((fact) => [fact.id, fact]))

const unfounded = (figure: string): VerifiedFigure => ({ figure, source: "none", fact_id: null, resolves: false, now: null })

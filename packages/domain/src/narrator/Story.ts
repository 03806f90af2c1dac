/**
 * What the built-in narrator writes with: figures only as references to facts, entries only as citations, and the words of
 * entries only where their figures are sure to resolve.
 */
import { rankEntries } from "../entries/EntryRank.ts"
import type { Fact, FactEntry, FactUnit } from "../facts/Fact.ts"
import { goalOfFact } from "../facts/GoalFacts.ts"
import { makeLocalClock } from "../facts/LocalTime.ts"
import type { LocalClock } from "../facts/LocalTime.ts"
import { figuresIn } from "../figures/Figures.ts"
import { splitSentences } from "../figures/Sentences.ts"
import type { NarrationInput } from "../insights/Insight.ts"
import { readBrief } from "./NarrationBrief.ts"
import type { NarrationBrief } from "./NarrationBrief.ts"

export interface Story {
  readonly brief: NarrationBrief
  /** Most telling first. */
  readonly entries: ReadonlyArray<FactEntry>
  readonly clock: LocalClock
  /** 0 where there is no such fact. */
  readonly value: (factId: string) => number
  readonly has: (factId: string) => boolean
  readonly unit: (factId: string) => FactUnit | undefined
  /** Goals by the facts of their targets; the ids of their facts begin with `prefix`. */
  readonly goals: ReadonlyArray<{ readonly prefix: string; readonly target: Fact }>
  /** The entries shown to the narrator on which the fact stands, most telling first. */
  readonly behind: (factId: string) => ReadonlyArray<FactEntry>
}

export const makeStory = (input: NarrationInput): Story => {
  const facts = new Map<string, Fact>(input.sheet.facts.map((fact) => [fact.id, fact]))
  const entries = rankEntries(input.entries)
  const shown = new Map<string, ReadonlyArray<FactEntry>>()
  return {
    brief: readBrief(input.context),
    entries,
    clock: makeLocalClock(input.sheet.timezone),
    value: (id) => facts.get(id)?.value ?? 0,
    has: (id) => facts.has(id),
    unit: (id) => facts.get(id)?.unit,
    goals: input.sheet.facts.flatMap((fact) => {
      const goal = fact.id.endsWith(".target") ? goalOfFact(fact.id) : undefined
      return goal === undefined ? [] : [{ prefix: `goal.${goal}`, target: fact }]
    }),
    behind: (id) => {
      const known = shown.get(id)
      if (known !== undefined) return known
      const ids = new Set(facts.get(id)?.entry_ids)
      const found = entries.filter((entry) => ids.has(entry.id))
      shown.set(id, found)
      return found
    }
  }
}

/** A reference to a fact; callers make sure that it exists. */
export const figure = (factId: string): string => `{{${factId}}}`

/** "{{total.days}} days", with the noun as its number demands. */
export const counted = (story: Story, factId: string, singular: string, plural: string): string =>
  `${figure(factId)} ${story.value(factId) === 1 ? singular : plural}`

/** Citations for the end of a paragraph or list item; entries repeat no more than they must. */
export const cite = (entries: Iterable<FactEntry>, most = 4): string =>
  [...new Set([...entries].map(({ id }) => id))].slice(0, most).map((id) => ` [[${id}]]`).join("")

/** A paragraph is text and the entries that show it. */
export const paragraph = (text: string, entries: Iterable<FactEntry>, most = 4): string => `${text}${cite(entries, most)}`

export const list = (parts: ReadonlyArray<string>): string =>
  parts.length < 2 ? parts.join("") : `${parts.slice(0, -1).join(", ")} and ${parts.at(-1) ?? ""}`

/**
 * The words of somebody else as plain text in our Markdown, or undefined where they are long, where their figures would read
 * differently than in the source they come from (they could then not be verified), or where nothing is left of them.
 */
export const quote = (text: string, from: string = text, longest = 120): string | undefined => {
  if (text.length > longest) return undefined
  const plain = text.replace(HIDDEN, "").replace(/\s+/g, " ").trim()
  if (!/[\p{L}\p{N}\p{S}]/u.test(plain)) return undefined
  const source = figuresIn(from, true)
  const sure = (markdown: string) => [...figuresIn(markdown)].every((found) => source.has(found))
  return [plain.replace(NEEDED, "\\$&"), plain.replace(ANY, "\\$&")].find(sure)
}

const HIDDEN = /[\u0000-\u0008\u000e-\u001f\u007f\u00ad\u180e\u200b\u200c\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ue000-\uf8ff]/g
/** What Markdown, a citation or a reference to a fact would be made of. */
const NEEDED = /[`*{}[\]]|(?<![\p{L}\p{N}])_|_(?![\p{L}\p{N}])|\\(?=[!-/:-@[-`{-~])|<(?=[\p{L}/!?])|&(?=#?\w{1,30};)|~(?=~)/gu
const ANY = /[!-/:-@[-`{-~]/g

const MAX_TITLE = 200
const MAX_OUTCOME = 240

/** An entry whose title cannot be quoted is named by its kind. */
export const titleOf = (entry: FactEntry): string => quote(entry.title, entry.title, MAX_TITLE) ?? `An entry of type ${entry.type}`

/** Words of entries, and the entries they come from: a paragraph with the words cites these before any others. */
export interface Quoted {
  readonly text: string
  readonly from: ReadonlyArray<FactEntry>
}

/** Titles in a sentence, each once. Quotation marks keep their figures apart from those around them. */
export const titles = (entries: ReadonlyArray<FactEntry>, most: number): Quoted => {
  const first = new Map<string, FactEntry>()
  for (const entry of entries) {
    const title = `“${titleOf(entry)}”`
    if (!first.has(title)) first.set(title, entry)
  }
  const told = [...first].slice(0, most)
  return { text: list(told.map(([title]) => title)), from: told.map(([, entry]) => entry) }
}

/** The outcome of a piece of work: that of the most telling of its entries that states one. */
export const outcome = (entries: ReadonlyArray<FactEntry>): Quoted => {
  for (const entry of entries) {
    const text = outcomeOf(entry)
    if (text !== undefined) return { text, from: [entry] }
  }
  return { text: "", from: [] }
}

/** The first sentence of the description, where it is short enough to stand in a list. */
const outcomeOf = (entry: FactEntry): string | undefined => {
  const first = splitSentences((entry.description ?? "").slice(0, 4 * MAX_OUTCOME).trim())[0]?.trim() ?? ""
  if (first === "" || first.length > MAX_OUTCOME || first.toLowerCase() === entry.title.trim().toLowerCase()) return undefined
  const quoted = quote(first, entry.description ?? "", MAX_OUTCOME)
  if (quoted === undefined) return undefined
  return /[.!?…]$/.test(quoted) ? quoted : `${quoted}.`
}

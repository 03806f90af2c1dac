/**
 * Judges a draft block by block. The citations of a paragraph vouch for all of it, and stay with it even where the sentence
 * that held them goes, so that the stored text can be verified again from its citations alone.
 */
import type { Fact, FactId } from "../facts/Fact.ts"
import type { EntryId } from "../Ids.ts"
import type { RemovedSentence } from "../insights/Insight.ts"
import { takeCitations } from "./Citations.ts"
import type { Block, Paragraph } from "./DraftBlocks.ts"
import { renderSentence } from "./FactReferences.ts"
import { splitSentences } from "./Sentences.ts"

/** A block with what is left of it: sentences of text and items, one piece of a heading or code, the rows of a table. */
export interface CheckedBlock {
  readonly block: Block
  readonly paragraph: number
  kept: ReadonlyArray<string>
  /** What each of `kept` states, in the same order. */
  readonly facts: ReadonlyArray<ReadonlyArray<FactId>>
  /** Whether the draft had anything here. */
  readonly total: number
}

export interface Evidence {
  readonly facts: ReadonlyMap<string, Fact>
  readonly known: ReadonlyMap<string, EntryId>
  readonly figuresOf: (entryId: EntryId) => ReadonlySet<string>
  readonly context: ReadonlySet<string>
}

export interface CheckedDraft {
  readonly blocks: ReadonlyArray<CheckedBlock>
  /** Entries cited, by paragraph of the draft. */
  readonly citations: ReadonlyArray<ReadonlyArray<EntryId>>
  readonly removed: ReadonlyArray<RemovedSentence>
}

interface Kept {
  readonly text: string
  readonly facts: ReadonlyArray<FactId>
}

export const checkBlocks = (paragraphs: ReadonlyArray<Paragraph>, evidence: Evidence): CheckedDraft => {
  const blocks: Array<CheckedBlock> = []
  const citations: Array<ReadonlyArray<EntryId>> = []
  const removed: Array<RemovedSentence> = []
  paragraphs.forEach((paragraph, number) => {
    const cited = new Set<EntryId>()
    const pieces = paragraph.map((block) =>
      piecesOf(block).flatMap((piece) => {
        const { entryIds, text } = takeCitations(piece, evidence.known)
        entryIds.forEach((id) => cited.add(id))
        if (!WORDS.test(text)) return []
        return block.kind === "text" || block.kind === "item" ? wordy(splitSentences(text)) : [text]
      })
    )
    const sources = [evidence.context, unionOf(cited, evidence)]
    const judge = (piece: string): ReadonlyArray<Kept> => {
      const { facts, fault, text } = renderSentence(piece, evidence.facts, sources)
      if (fault === undefined) return [{ text, facts }]
      removed.push({ sentence: text.trim().slice(0, MAX_SENTENCE), reason: fault })
      return []
    }
    paragraph.forEach((block, i) => {
      const own = pieces[i] ?? []
      const [head = "", ...rows] = own
      const kept = block.kind !== "table" ? own.flatMap(judge) : judge(head).flatMap((one) => [one, ...rows.flatMap(judge)])
      if (block.kind === "table" && own.length > 0 && kept.length === 0) {
        removed.push(...rows.map((sentence) => ({ sentence, reason: "The head of its table was removed." })))
      }
      const texts = balanced(kept.map(({ text }) => text), own.length)
      blocks.push({ block, paragraph: number, kept: texts, facts: kept.map(({ facts }) => facts), total: own.length })
    })
    citations.push([...cited])
  })
  return { blocks, citations, removed }
}

const MAX_SENTENCE = 500
const WORDS = /[\p{L}\p{N}\p{S}]/u

/** Stray punctuation is no sentence: it belongs to the one before it. */
const wordy = (pieces: ReadonlyArray<string>): ReadonlyArray<string> => {
  const sentences: Array<string> = []
  for (const piece of pieces) {
    const last = sentences.at(-1)
    if (last !== undefined && !WORDS.test(piece)) sentences[sentences.length - 1] = last + piece
    else if (WORDS.test(piece)) sentences.push(piece)
  }
  return sentences
}

/** What is judged as a whole and may be split further only where it is prose. */
const piecesOf = (block: Block): ReadonlyArray<string> => {
  switch (block.kind) {
    case "heading": case "item": case "text": return [block.text]
    case "table": return [block.head, ...block.rows]
    case "code": return block.lines.length === 0 ? [] : [[block.fence, ...block.lines].join("\n")]
    case "rule": return []
  }
}

const unionOf = (cited: ReadonlySet<EntryId>, evidence: Evidence): ReadonlySet<string> => {
  const all = new Set<string>()
  for (const id of cited) for (const figure of evidence.figuresOf(id)) all.add(figure)
  return all
}

/** Emphasis that spanned a removed sentence would run on: with an odd number of `**` left, all of them go. */
const balanced = (kept: ReadonlyArray<string>, total: number): ReadonlyArray<string> =>
  kept.length === total || kept.join("").split("**").length % 2 === 1 ? kept : kept.map((text) => text.replaceAll("**", ""))

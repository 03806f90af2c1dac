/**
 * The figure check (product.md, "Trustworthy numbers"). A figure resolves when it was rendered from a fact, or stands
 * verbatim in an entry cited in the same paragraph or in the request's context. A sentence with a figure that does not
 * resolve, or with a reference to a fact that does not exist, is removed whole; headings, list items and table rows count as
 * sentences. The confidence is multiplied by kept/all sentences.
 *
 * Total: any draft yields an answer, in time linear in its length.
 */
import type { Fact, FactEntry, FactSheet } from "../facts/Fact.ts"
import { makeLocalClock } from "../facts/LocalTime.ts"
import type { EntryId } from "../Ids.ts"
import type { CheckedInsight, InsightContext, InsightDraft } from "../insights/Insight.ts"
import { checkBlocks } from "./CheckedBlocks.ts"
import { parseDraft } from "./DraftBlocks.ts"
import { dropOrphans, layOut } from "./DraftLayout.ts"
import { figuresIn } from "./Figures.ts"
import { contextFigures, entryFigures } from "./FigureSource.ts"

/** Shown where no sentence survived; it states no figure itself. */
export const NOTHING_VERIFIED =
  "Nothing that could be verified was left of this insight: each of its sentences stated figures that no recorded entry supports."

/** At most this many removed sentences are listed; the counts are of all. */
export const MAX_REMOVED_LISTED = 200

export interface FigureCheckInput {
  readonly draft: InsightDraft
  readonly sheet: FactSheet
  /** All entries in scope, not only those a narrator was shown. */
  readonly entries: ReadonlyArray<FactEntry>
  readonly context: InsightContext | null
}

export const checkFigures = (input: FigureCheckInput): CheckedInsight => {
  const evidence = gatherEvidence(input)
  const paragraphs = parseDraft(input.draft.content.replace(UNSAFE, ""))
  const { blocks, citations, removed } = checkBlocks(paragraphs, evidence)
  dropOrphans(blocks)
  const kept = blocks.reduce((sum, block) => sum + block.kept.length, 0)
  const total = kept + removed.length
  const left = layOut(blocks, paragraphs.length)
    .map((text, paragraph) => ({ text, entry_ids: citations[paragraph] ?? [] }))
    .map((one, draft_paragraph) => ({ ...one, draft_paragraph }))
    .filter(({ text }) => text !== "")
  const place = new Map(left.map(({ draft_paragraph }, paragraph) => [draft_paragraph, paragraph]))
  return {
    content: kept === 0 ? NOTHING_VERIFIED : left.map(({ text }) => text).join("\n\n"),
    tags: checkedTags(input.draft.tags, evidence.context, () => input.entries.map(({ id }) => evidence.figuresOf(id))),
    confidence: total === 0 ? 0 : input.draft.confidence * (kept / total),
    citations: kept === 0
      ? []
      : left.flatMap(({ entry_ids }, paragraph) => entry_ids.length === 0 ? [] : [{ paragraph, entry_ids }]),
    removed: removed.slice(0, MAX_REMOVED_LISTED),
    statements: blocks.flatMap(({ facts, kept: texts, paragraph }) =>
      texts.map((text, i) => ({ paragraph: place.get(paragraph) ?? 0, text: text.trim(), facts: facts[i] ?? [] }))),
    sentences_kept: kept,
    sentences_total: total
  }
}

/** Control and invisible characters that would hide a figure, and the private-use characters used as marks. */
const UNSAFE = /[\u0000-\u0008\u000e-\u001f\u007f\u00ad\u180e\u200b\u200c\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ue000-\uf8ff]/g

const gatherEvidence = ({ context, entries, sheet }: FigureCheckInput) => {
  const clock = makeLocalClock(sheet.timezone)
  const byId = new Map<string, FactEntry>(entries.map((entry) => [entry.id, entry]))
  const read = new Map<EntryId, ReadonlySet<string>>()
  return {
    facts: new Map<string, Fact>(sheet.facts.map((fact) => [fact.id, fact])),
    known: new Map<string, EntryId>(entries.map(({ id }) => [id.toLowerCase(), id])),
    context: contextFigures(context),
    figuresOf: (id: EntryId): ReadonlySet<string> => {
      const known = read.get(id)
      if (known !== undefined) return known
      const entry = byId.get(id)
      const figures = entry === undefined ? new Set<string>() : entryFigures(entry, clock)
      read.set(id, figures)
      return figures
    }
  }
}

/** A tag cites nothing: its figures must stand in the context or in some entry in scope, else the tag goes. */
const checkedTags = (
  tags: ReadonlyArray<string>,
  context: ReadonlySet<string>,
  entries: () => ReadonlyArray<ReadonlySet<string>>
): ReadonlyArray<string> => {
  let sources: ReadonlyArray<ReadonlySet<string>> | undefined
  const clean = tags.map((tag) => tag.replace(UNSAFE, "").trim()).filter((tag) => tag !== "" && !/\{\{|\[\[/.test(tag))
  return [...new Set(clean)].filter((tag) =>
    [...figuresIn(tag)].every((figure) => context.has(figure) || (sources ??= entries()).some((source) => source.has(figure)))
  )
}

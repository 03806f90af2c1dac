/**
 * Which facts an insight's text states. The text holds their figures, not their ids: where several facts have the same
 * figure, those count whose label shares most words with the paragraph, as many as the figure stands there.
 */
import type { Fact } from "@englog/domain/facts/Fact"

/** In their order. */
export const citedFacts = (content: string, facts: ReadonlyArray<Fact>): ReadonlyArray<Fact> => {
  const byFigure = [...Map.groupBy(facts.filter(({ text }) => text !== ""), ({ text }) => text)].sort(([a], [b]) => b.length - a.length)
  const cited = new Set(content.split(/\n\s*\n/).flatMap((paragraph) => inParagraph(paragraph, byFigure)))
  return facts.filter((fact) => cited.has(fact))
}

type ByFigure = ReadonlyArray<readonly [string, ReadonlyArray<Fact>]>

/** Longer figures first, each cut out where it was found, so that "3 h" is not found in "3 h 20 min". */
const inParagraph = (paragraph: string, byFigure: ByFigure): ReadonlyArray<Fact> => {
  const words = stemsOf(paragraph)
  let rest = paragraph
  return byFigure.flatMap(([figure, candidates]) => {
    const pattern = new RegExp(`(?<![\\p{L}\\p{N}]|\\d[.,:])${literal(figure)}(?![\\p{L}\\p{N}]|[.,:]\\d)`, "gu")
    const count = rest.match(pattern)?.length ?? 0
    if (count === 0) return []
    rest = rest.replace(pattern, "\u0000")
    return candidates.toSorted((a, b) => shared(b, words) - shared(a, words)).slice(0, count)
  })
}

const literal = (figure: string): string => figure.replace(/[.*+?^${}()|[\]\\]/g, "\\$&").replace(/\s+/g, "\\s+")

/** The share of a label's words, so that a long label is not favoured. */
const shared = ({ label }: Fact, words: ReadonlySet<string>): number => {
  const own = [...stemsOf(label)]
  return own.length === 0 ? 0 : own.filter((stem) => words.has(stem)).length / own.length
}

/** "coding" and "code" are to meet. */
const stemsOf = (text: string): ReadonlySet<string> =>
  new Set([...text.toLowerCase().matchAll(/\p{L}{3,}/gu)].map(([word]) => word.slice(0, 3)))

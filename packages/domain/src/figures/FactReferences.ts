/**
 * Renders `{{fact.id}}` as the fact's text, and judges whether every figure of a sentence then resolves.
 */
import type { Fact, FactId } from "../facts/Fact.ts"
import { figuresIn } from "./Figures.ts"

/** A reference, and a unit behind it that the fact's own text already states ("{{type.code.share}}%"). */
const REFERENCE =
  /\{\{([^{}\n]{0,200})\}\}( ?%| per ?cent(?![\w-])| (?:percentage )?points?(?![\w-])| ?(?:hours?|hrs?|h|minutes?|mins?)(?![\w-]))?/g
/** Stands for a rendered figure while the model's own words are judged; stripped from the draft beforehand. */
const MARK = "\uE000"

export interface Rendered {
  readonly text: string
  /** The facts it states. */
  readonly facts: ReadonlyArray<FactId>
  /** Why the sentence cannot stand; undefined where every figure resolves. */
  readonly fault: string | undefined
}

export const renderSentence = (
  sentence: string,
  facts: ReadonlyMap<string, Fact>,
  sources: ReadonlyArray<ReadonlySet<string>>
): Rendered => {
  const used = new Set<Fact>()
  let unknown: string | undefined
  const render = (show: (fact: Fact) => string) =>
    sentence.replace(REFERENCE, (whole, name: string, unit: string | undefined) => {
      const fact = facts.get(name.trim().toLowerCase())
      if (fact === undefined) {
        unknown ??= name.trim()
        return whole
      }
      used.add(fact)
      return show(fact) + (unit === undefined || states(fact, unit) ? "" : unit)
    })
  const text = render((fact) => fact.text)
  const stating = [...used].map(({ id }) => id)
  if (unknown !== undefined) return { text, facts: stating, fault: `There is no fact "${unknown.slice(0, 100)}".` }
  if (/\{\{|\}\}/.test(text)) return { text, facts: stating, fault: "A reference to a fact is malformed." }
  const own = [...figuresIn(render(() => MARK))].find((figure) => !sources.some((source) => source.has(figure)))
  // The rendered sentence is judged as well: "{{a}}{{b}}" or "{{a}}00" would print a figure that no fact states.
  const stated = () => {
    const printed = new Set([...used].flatMap((fact) => [...figuresIn(fact.text)]))
    return [...figuresIn(text)].find((figure) => !printed.has(figure) && !sources.some((source) => source.has(figure)))
  }
  const figure = own ?? (used.size === 0 ? undefined : stated())
  return {
    text,
    facts: stating,
    fault: figure === undefined
      ? undefined
      : `The figure "${figure.slice(0, 100)}" comes from no fact, no entry cited in this paragraph and not from the request's context.`
  }
}

const states = (fact: Fact, unit: string): boolean => {
  if (/%|cent/.test(unit)) return fact.text.endsWith("%")
  if (unit.includes("point")) return /points?$/.test(fact.text)
  return fact.unit === "minutes" || fact.unit === "hours"
}

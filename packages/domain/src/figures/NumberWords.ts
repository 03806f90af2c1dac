/**
 * English words that state a number. Product.md ("Trustworthy numbers") treats them like digits: a model that may not write
 * "3" may not write "three" or "tripled" either.
 */

const UNITS = [
  "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "thirteen", "fourteen",
  "fifteen", "sixteen", "seventeen", "eighteen", "nineteen", "twenty", "thirty", "forty", "fifty", "sixty", "seventy",
  "eighty", "ninety"
]

/** "tens of", "a dozen", "a decade": amounts although no cardinal stands beside them. */
const SCALES = new Set([
  "hundred", "thousand", "million", "billion", "trillion", "dozen", "decade", "century",
  "hundreds", "thousands", "millions", "billions", "trillions", "dozens", "decades", "centuries"
])

const CARDINALS = new Set(["zero", ...UNITS, "tens", "twenties", "thirties", "forties", "fifties"])

const MULTIPLES = new Set([
  "half", "halves", "halved", "halving", "halfway", "twice", "thrice",
  ...["double", "treble", "triple", "quadruple", "quintuple"].flatMap((word) => [
    word, `${word}d`, `${word}s`, `${word.slice(0, -1)}ing`
  ]),
  ...UNITS.map((word) => `${word}fold`), "hundredfold", "thousandfold"
])

/** From "third" on: "first" and "second" are everyday words and say no amount. */
const ORDINALS = new Set([
  "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth", "eleventh", "twelfth", "thirteenth",
  "fourteenth", "fifteenth", "sixteenth", "seventeenth", "eighteenth", "nineteenth", "twentieth", "thirtieth", "fortieth",
  "fiftieth", "hundredth", "thousandth", "millionth"
])

/** "One" counts only before these ("one hour", "one incident"), never as a pronoun ("the one that"). */
const COUNTED = new Set([
  "second", "minute", "hour", "day", "night", "week", "month", "year", "quarter", "sprint", "percent", "point",
  "third", "half", "fifth", "tenth", "entry", "activity", "task", "item", "issue", "ticket", "story", "bug", "defect",
  "incident", "outage", "meeting", "review", "session", "block", "project", "release", "deployment", "commit", "pr", "pull",
  "test", "service", "endpoint", "user", "customer", "engineer", "developer", "colleague", "person", "team"
])

export type NumberWord = "cardinal" | "scale" | "multiple" | "ordinal" | "fraction" | "one" | "quarter"

/** What a lower-case word states, or undefined where it states no number. */
export const numberWord = (word: string): NumberWord | undefined => {
  if (word === "one") return "one"
  if (word === "quarter" || word === "quarters") return "quarter"
  if (CARDINALS.has(word)) return "cardinal"
  if (SCALES.has(word)) return "scale"
  if (MULTIPLES.has(word)) return "multiple"
  if (ORDINALS.has(word)) return "ordinal"
  if (word.endsWith("s") && ORDINALS.has(word.slice(0, -1))) return "fraction"
  return undefined
}

/** A noun that turns "one" before it into an amount. */
export const isCountedNoun = (word: string): boolean => COUNTED.has(word)

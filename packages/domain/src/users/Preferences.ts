/** How a person likes to see things: language and region, and the day on which their week begins. */
import { Schema } from "effect"

const isTag = (tag: string): boolean => {
  if (tag.length > 35) return false
  try {
    return Intl.getCanonicalLocales(tag).length === 1
  } catch {
    // A RangeError is how Intl says that it is no tag; there is no other way to ask.
    return false
  }
}

/** A BCP 47 tag. */
export const Locale = Schema.String.check(
  Schema.makeFilter<string>((tag) => isTag(tag) ? undefined : "must be a BCP 47 language tag, such as en or pt-BR", {
    expected: "a BCP 47 language tag",
    toJsonSchema: () => [{ maxLength: 35 }, true]
  })
).annotate({ examples: ["en", "pt-BR"] })

export const WeekStart = Schema.Literals(["monday", "saturday", "sunday"])
export type WeekStart = typeof WeekStart.Type

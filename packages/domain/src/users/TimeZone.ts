/**
 * A user's time zone: it decides what "a day" and "peak hour" mean. A name of the IANA database, not an offset, because
 * only a name knows about summer time.
 */
import { DateTime, Option, Schema } from "effect"

const isIana = (name: string): boolean => /^[A-Za-z]/.test(name) && Option.isSome(DateTime.zoneMakeNamed(name))

export const TimeZone = Schema.String.check(
  Schema.makeFilter<string>((name) => isIana(name) ? undefined : "must be an IANA time zone, such as Europe/Berlin", {
    expected: "an IANA time zone",
    toJsonSchema: () => [{ format: "timezone" }, true]
  })
).annotate({ examples: ["UTC", "Europe/Berlin", "America/Sao_Paulo"] })

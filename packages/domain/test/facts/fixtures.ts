/** Entries for tests: one by one with sensible defaults, or arbitrary ones for properties. */
import { DateTime } from "effect"
import * as fc from "fast-check"
import { FactEntry } from "../../src/facts/Fact.ts"
import { EntryId } from "../../src/Ids.ts"

export const entryId = (n: number): EntryId => EntryId.make(`00000000-0000-4000-8000-${String(n).padStart(12, "0")}`)

type EntryParts = Partial<Omit<(typeof FactEntry)["Type"], "start_time" | "end_time" | "id">> & { readonly start?: string }

/** `start` is an ISO instant; the entry ends after its duration (60 minutes unless given). */
export const entry = (n: number, parts: EntryParts = {}): FactEntry => {
  const { start = "2025-07-01T09:00:00Z", ...rest } = parts
  const start_time = DateTime.toUtc(DateTime.makeUnsafe(start))
  const duration_minutes = parts.duration_minutes ?? 60
  return new FactEntry({
    id: entryId(n),
    title: `Entry ${n}`,
    description: null,
    type: "code",
    project_name: null,
    tags: [],
    value_rating: "medium",
    impact_level: "team",
    ...rest,
    start_time,
    end_time: DateTime.add(start_time, { minutes: duration_minutes }),
    duration_minutes
  })
}

const nastyText = fc.oneof(
  fc.string({ unit: "binary", maxLength: 40 }),
  fc.constantFrom(
    "Ship OAuth 2.0", "Cut p95 by 90%", "# 5 - things", "1. First of three", "{{total.time}} 12", "[[x]] 7", "a | b | 3", "**4** twenty-one",
    "`5` `", "-5 % 100 000", "half of it", "https://x.y/1?q=2. End", "5\n\n- 6", "third, then one hour", "v2.1 e.g. 12 345", "½ of 10²", "\u202e21", "1\\*2*3_4"
  ),
  fc.array(fc.constantFrom("12", "five", " ", ".", "-", "%", "*", "_", "\\", "`", "[", "]", "{", "}", "|", "#", "\n", "a", "000", "one", "hour", "<b>"), { maxLength: 12 })
    .map((parts) => parts.join(""))
)

export const arbitraryEntries = (options: { readonly maxLength?: number; readonly text?: fc.Arbitrary<string> } = {}) => {
  const text = options.text ?? nastyText
  return fc.array(
    fc.record({
      title: text,
      description: fc.option(text),
      type: fc.constantFrom("meeting", "code", "debug", "docs", "mentoring", "review", "planning", "learning", "ops", "admin"),
      project_name: fc.option(text),
      tags: fc.array(text, { maxLength: 3 }),
      value_rating: fc.constantFrom("low", "medium", "high"),
      impact_level: fc.constantFrom("personal", "team", "product", "company"),
      duration_minutes: fc.integer({ min: 0, max: 600 }),
      start: fc.integer({ min: 0, max: 90 * 24 * 60 }).map((minute) =>
        DateTime.formatIso(DateTime.makeUnsafe(Date.UTC(2025, 1, 20) + minute * 60_000)))
    }),
    { maxLength: options.maxLength ?? 25 }
  ).map((parts) => parts.map((one, i) => entry(i + 1, one)))
}

export const zones = fc.constantFrom("UTC", "Europe/Berlin", "America/Sao_Paulo", "Asia/Kathmandu", "Asia/Kolkata", "America/New_York")

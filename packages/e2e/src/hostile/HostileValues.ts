/**
 * Values that a field must not take, derived from its schema; and text that every free text must take.
 */
import * as fc from "fast-check"
import type { Json, Shape } from "./Operation.ts"

/** Each breaks what the format promises, most of them so that a careless reader takes them. */
const wrongByFormat: Readonly<Record<string, ReadonlyArray<string>>> = {
  "date": ["2026-02-30", "2026-13-01", "2026-00-10", "26-01-05", "2026-1-5", "2026-01-05T00:00:00Z", "0000-01-01", "9999-12-31", "+012026-01-01", "today", ""],
  "date-time": [
    "2026-02-30T00:00:00Z", "2026-01-05", "2026-01-05T09:00:00", "2026-01-05 09:00:00Z", "2026-01-05T25:00:00Z", "2026-01-05T09:00:60Z",
    "2026-01-05T09:00:00+99:00", "-000001-01-01T00:00:00Z", "+275760-09-13T00:00:00.001Z", "1899-12-31T00:00:00Z", "1e400", "now", ""
  ],
  "email": ["", "ada", "ada@", "@example.com", "a b@example.com", "ada@example.com\r\nbcc: eve@example.com", "ada@exa\tmple.com", `${"a".repeat(65)}@example.com`],
  "timezone": ["", "Nowhere/City", "Europe/Atlantis", "+02:00", "UTC+25", "../../etc/passwd", "Europe/Berlin\n"],
  "uuid": [
    "", "1", "null", "3f0e8a52-6a3c-4a52-9a6d-0d7d3a0f7c1", "3f0e8a52-6a3c-4a52-9a6d-0d7d3a0f7c111", "3f0e8a526a3c4a529a6d0d7d3a0f7c11",
    "{3f0e8a52-6a3c-4a52-9a6d-0d7d3a0f7c11}", "gf0e8a52-6a3c-4a52-9a6d-0d7d3a0f7c11", " 3f0e8a52-6a3c-4a52-9a6d-0d7d3a0f7c11", "1 OR 1=1", "%00"
  ]
}

const typeOf = (value: Json): string =>
  value === null ? "null" : Array.isArray(value) ? "array" : typeof value === "number" && Number.isInteger(value) ? "integer" : typeof value

const anything: fc.Arbitrary<Json> = fc.oneof(
  fc.constantFrom<Json>(null, true, false, 0, -1, 1.5, -0, 2 ** 53, 1e308, "", "NaN", "Infinity", "null", [], {}, [[]], { "": null }),
  fc.integer(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.string({ unit: "grapheme" }),
  fc.array(fc.integer(), { maxLength: 5 }),
  fc.dictionary(fc.string(), fc.integer(), { maxKeys: 3 })
)

/** Of a type that the field does not have; undefined where it may have any. */
export const ofWrongType = ({ types }: Shape): fc.Arbitrary<Json> | undefined =>
  types.length === 0 ? undefined : anything.filter((value) =>
    !types.includes(typeOf(value)) && !(types.includes("number") && typeof value === "number"))

/** Of the right type, and wrong all the same; undefined where nothing is. */
export const outOfBounds = (shape: Shape): fc.Arbitrary<Json> | undefined => {
  const wrong = shape.types.includes("array") ? wrongLists(shape) : wrongTexts(shape)
  return wrong.length === 0 ? undefined : fc.oneof(...wrong)
}

export const wrongTexts = (shape: Shape): ReadonlyArray<fc.Arbitrary<string>> => {
  const { enum: allowed, maxLength, minLength, pattern } = shape
  const format = wrongByFormat[shape.format ?? ""]
  return [
    ...(format === undefined ? [] : [fc.constantFrom(...format)]),
    ...(allowed === undefined ? [] : [fc.string().filter((text) => !allowed.includes(text)), fc.constantFrom(...allowed).map((one) => `${String(one)} `)]),
    ...(pattern === undefined ? [] : [fc.string({ unit: "grapheme" }).filter((text) => !new RegExp(pattern).test(text))]),
    ...(minLength === undefined || minLength === 0 ? [] : [fc.constant("")]),
    ...(maxLength === undefined ? [] : [fc.integer({ min: maxLength + 1, max: maxLength + 5_000 }).map((length) => "🚀".repeat(length))])
  ]
}

const wrongLists = ({ items, maxItems, minItems }: Shape): ReadonlyArray<fc.Arbitrary<Json>> => {
  const wrongItem = items === undefined ? [] : [ofWrongType(items), outOfBounds(items)].filter((wrong) => wrong !== undefined)
  return [
    ...(minItems === undefined || minItems === 0 ? [] : [fc.constant([])]),
    ...(maxItems === undefined ? [] : [fc.constantFrom(10_000, maxItems + 1).map((length) => uuids(length))]),
    ...(wrongItem.length === 0 ? [] : [fc.array(fc.oneof(...wrongItem), { minLength: 1, maxLength: 5 })])
  ]
}

/** That nobody ever gave to anything. */
export const uuids = (length: number): ReadonlyArray<string> =>
  Array.from({ length }, (_, index) => `00000000-0000-4000-8000-${index.toString(16).padStart(12, "0")}`)

/** Half a surrogate pair and NUL, as JSON can carry them. */
export const unstorable = fc.constantFrom("\\u0000", "\\ud800", "\\udc00\\ud800", "\\uDBFF", "\\uDFFF")

/** Unicode of every kind that means something to some program on the way. */
export const validText = (length: { readonly min?: number; readonly max: number }): fc.Arbitrary<string> => {
  const special = fc.constantFrom(
    "🚀", "👩‍👩‍👧‍👦", "🏳️‍🌈", "é", "e\u0301", "שלום", "\u202Eabc\u202C", "مرحبا", "\uFFFF", "\uFDD0", "\u{10FFFF}", "\u{1FFFE}", "\u2028", "\u2029", "\uE000", "\u{F0000}",
    "\uFFFD", "漢字", "𠜎", "\u200B", "\u00AD", "ﬀ", "İ", "ß", "\u0001", "\u007F", "\u0085", "\\", "\\u0000", "\\ud800", "\"", "'", "%00", "%", "{{x}}", "[[x]]", "$1", ":x", "--", "\t", "\r\n", "constructor", "__proto__"
  )
  const unit = fc.oneof(special, fc.string({ unit: "grapheme", minLength: 1, maxLength: 1 }), fc.integer({ min: 0x10000, max: 0x10FFFF }).map((point) => String.fromCodePoint(point)))
  return fc.array(unit, { maxLength: 40 }).map((units) => {
    const characters = ["a", ...[...units.join("")].slice(0, length.max - 2), "z"]
    return `${characters.join("")}${"🚀".repeat(Math.max(0, (length.min ?? 0) - characters.length))}`
  })
}

import { assert, describe, it } from "@effect/vitest"
import { DateTime, Exit, Schema } from "effect"
import { RegisterPayload } from "../../src/http/AuthApi.ts"
import { EntryPayload } from "../../src/http/EntryPayload.ts"
import { NormalizedText, PlainText, TrimmedText } from "../../src/http/PlainText.ts"
import { Instant, LocalDate } from "../../src/http/Times.ts"

const accepts = (schema: Schema.Codec<unknown, unknown>) => (value: unknown): boolean => Exit.isSuccess(Schema.decodeUnknownExit(schema)(value))

describe("text", () => {
  it("is counted in characters after trimming", () => {
    const text = accepts(TrimmedText({ min: 1, max: 3 }))
    assert.isTrue(text("  🚀🚀🚀  "))
    assert.isFalse(text("🚀🚀🚀🚀"))
    assert.isFalse(text(" \n\t "))
    assert.strictEqual(Schema.decodeSync(TrimmedText({ max: 9 }))(" a b "), "a b")
    assert.strictEqual(Schema.decodeSync(NormalizedText({ max: 9 }))(" Ä B "), "ä b")
    assert.strictEqual(Schema.decodeSync(PlainText({ max: 9 }))(" a "), " a ")
  })

  it("holds nothing that PostgreSQL cannot store", () => {
    const text = accepts(PlainText({ max: 9 }))
    assert.isFalse(text("a\u0000"))
    assert.isFalse(text("a\ud83d"))
    assert.isTrue(text("a\u0001"))
  })
})

describe("an instant", () => {
  const instant = accepts(Instant)

  it("is RFC 3339 with its zone", () => {
    for (const given of ["2026-01-05T09:00:00Z", "2026-01-05t09:00:00z", "2026-01-05T09:00:00.123456789+05:30", "2024-02-29T23:59:59-11:00"]) {
      assert.isTrue(instant(given), given)
    }
    for (
      const given of ["2026-01-05", "2026-01-05T09:00:00", "2026-01-05 09:00:00Z", "2026-01-05T09:00Z", "2026-01-05T24:00:00Z", "2026-01-05T09:00:60Z", "1767603600", "", " 2026-01-05T09:00:00Z"]
    ) assert.isFalse(instant(given), given)
  })

  it("exists, between 1900 and 2199", () => {
    for (const given of ["2026-02-29T00:00:00Z", "2026-13-01T00:00:00Z", "2026-00-10T00:00:00Z", "1899-12-31T00:00:00Z", "2200-01-01T00:00:00Z"]) {
      assert.isFalse(instant(given), given)
    }
  })

  it("is the same moment whatever its zone", () => {
    const decode = Schema.decodeSync(Instant)
    assert.strictEqual(DateTime.toEpochMillis(decode("2026-01-05T09:00:00+01:00")), DateTime.toEpochMillis(decode("2026-01-05T08:00:00Z")))
  })
})

describe("a local day", () => {
  it("exists", () => {
    const day = accepts(LocalDate)
    assert.isTrue(day("2024-02-29"))
    for (const given of ["2026-02-29", "2026-1-5", "2026-01-05T00:00:00Z", "20260105", "9999-12-31"]) assert.isFalse(day(given), given)
  })
})

describe("a registration", () => {
  const registration = { email: "ada@example.com", password: "12345678", first_name: "A", last_name: "B" }
  const register = accepts(RegisterPayload)

  it("has an e-mail address", () => {
    for (const email of ["ada@example.com", "a.b+c@sub.example.co", "jürgen@bücher.de", " ADA@EXAMPLE.COM "]) {
      assert.isTrue(register({ ...registration, email }), email)
    }
    for (const email of ["ada", "ada@", "@example.com", "ada@example", "a b@example.com", "ada@@example.com", "ada@example..com", "ada@example.com, eve@example.com"]) {
      assert.isFalse(register({ ...registration, email }), email)
    }
  })

  it("has a password of 8 to 200 characters", () => {
    assert.isTrue(register({ ...registration, password: "x".repeat(200) }))
    assert.isFalse(register({ ...registration, password: "x".repeat(201) }))
    assert.isFalse(register({ ...registration, password: "1234567" }))
  })

  it("names an IANA time zone, not an offset", () => {
    assert.isTrue(register({ ...registration, timezone: "America/Argentina/Buenos_Aires" }))
    for (const timezone of ["+02:00", "Nowhere/City", "", "CET-1"]) assert.isFalse(register({ ...registration, timezone }), timezone)
  })
})

describe("an entry", () => {
  it("survives being encoded and decoded", () => {
    const given = {
      title: "T", type: "code", tags: ["a"], start_time: "2026-01-05T09:00:00.000Z", end_time: "2026-01-05T10:00:00.000Z"
    }
    const decoded = Schema.decodeUnknownSync(EntryPayload)(given)
    assert.deepStrictEqual(Schema.encodeSync(EntryPayload)(decoded), { ...given, type: "code", value_rating: "medium", impact_level: "personal" })
  })
})

import { assert, describe, it } from "@effect/vitest"
import { Attribute } from "@englog/platform/telemetry/Attributes"
import * as incubating from "@opentelemetry/semantic-conventions/incubating"

describe("the attribute registry", () => {
  it("spells the names of OpenTelemetry's semantic conventions as they do, and prefixes its own", () => {
    const conventions = new Set<unknown>(Object.entries(incubating).flatMap(([key, name]) => key.startsWith("ATTR_") ? [name] : []))
    const strangers = Object.values(Attribute).filter((name) => !conventions.has(name) && !name.startsWith("englog."))
    assert.deepStrictEqual(strangers, [])
    assert.isTrue(conventions.has("service.name"), "the conventions were read")
  })

  it("names nothing twice", () => {
    const names = Object.values(Attribute)
    assert.strictEqual(new Set(names).size, names.length)
  })
})

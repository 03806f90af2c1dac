import { assert, describe, it } from "@effect/vitest"
import { Attribute } from "@englog/platform/telemetry/Attributes"
import * as fs from "node:fs"
import { fileURLToPath } from "node:url"
import * as incubating from "@opentelemetry/semantic-conventions/incubating"

describe("the attribute registry", () => {
  it("spells the names of OpenTelemetry's semantic conventions as they do, and prefixes its own", () => {
    const conventions = new Set<unknown>(Object.entries(incubating).flatMap(([key, name]) => key.startsWith("ATTR_") ? [name] : []))
    const strangers = Object.values(Attribute).filter((name) => !conventions.has(name) && !name.startsWith("englog."))
    assert.deepStrictEqual(strangers, [])
    assert.isTrue(conventions.has("service.name"), "the conventions were read")
  })

  it("uses no name that the conventions have given up", () => {
    const types = fs.readFileSync(fileURLToPath(import.meta.resolve("@opentelemetry/semantic-conventions/incubating")).replace(/[^/]+$/, "experimental_attributes.d.mts"), "utf8")
    const documented = [...types.matchAll(/\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\s*(?:export )?declare const ATTR_\w+: "([^"]+)"/g)]
    assert.isAbove(documented.length, 500)
    const given = new Set<string>(documented.filter(([, comment]) => /@deprecated (?!Moved)/.test(comment ?? "")).map(([, , name = ""]) => name))
    assert.deepStrictEqual(Object.values(Attribute).filter((name) => given.has(name)), [])
  })

  it("names nothing twice", () => {
    const names = Object.values(Attribute)
    assert.strictEqual(new Set(names).size, names.length)
  })
})

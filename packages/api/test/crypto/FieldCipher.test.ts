import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import * as fc from "fast-check"
import { EncryptedColumn } from "../../src/crypto/EncryptedColumns.ts"
import { FieldCipher, makeKey, parseKeyRing } from "../../src/crypto/FieldCipher.ts"
import { v1Value } from "../support/V1Value.ts"

const key = (fill: number, bytes = 32) => Buffer.alloc(bytes, fill).toString("base64")
const withKeys = (keys: string) => Effect.provide(FieldCipher, FieldCipher.layer(Redacted.make(keys)))
const column = EncryptedColumn.entryDescription

/** Runs the effect for many inputs; a failing one is told with its smallest form. */
const forAll = <T>(arbitrary: fc.Arbitrary<T>, property: (value: T) => Effect.Effect<void, unknown>) =>
  Effect.promise(() => fc.assert(fc.asyncProperty(arbitrary, (value) => Effect.runPromise(property(value))), { numRuns: 300 }))

const anyText = fc.string({ unit: "grapheme", maxLength: 200 })

describe("field encryption", () => {
  it.effect("gives back what was put in, and never looks the same twice", () => Effect.gen(function*() {
    const cipher = yield* withKeys(`k1:${key(1)}`)
    const texts = ["", "a secret", "Grüße 🚀", "x".repeat(100_000)]
    for (const text of texts) {
      const [one, two] = [yield* cipher.encrypt(text, column, "1"), yield* cipher.encrypt(text, column, "1")]
      assert.notStrictEqual(one, two)
      assert.match(one, /^v2:k1:[A-Za-z0-9_-]+$/)
      assert.isTrue(one.startsWith(cipher.currentPrefix))
      assert.strictEqual(yield* cipher.decrypt(one, column, "1"), text)
    }
    assert.notInclude(yield* cipher.encrypt("a secret", column, "1"), "secret")
  }))

  it.effect("gives back any text, under any row, to its own place only", () => Effect.gen(function*() {
    const cipher = yield* withKeys(`k1:${key(1)}`)
    const columns = Object.values(EncryptedColumn)
    const place = fc.record({ column: fc.constantFrom(...columns), row: fc.string({ minLength: 1, maxLength: 40 }) })
    yield* forAll(fc.record({ text: anyText, here: place, there: place }), ({ here, text, there }) =>
      Effect.gen(function*() {
        const value = yield* cipher.encrypt(text, here.column, here.row)
        assert.strictEqual(yield* cipher.decrypt(value, here.column, here.row), text)
        const elsewhere = here.row !== there.row || here.column.purpose !== there.column.purpose
        if (!elsewhere) return
        assert.strictEqual((yield* Effect.flip(cipher.decrypt(value, there.column, there.row))).reason, "tampered")
      }))
  }))

  it.effect("refuses a value in which any character was changed", () => Effect.gen(function*() {
    const cipher = yield* withKeys(`k1:${key(1)},k2:${key(2)}`)
    const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_:"
    yield* forAll(fc.record({ text: anyText, at: fc.nat(), to: fc.constantFrom(...alphabet) }), ({ at, text, to }) =>
      Effect.gen(function*() {
        const value = yield* cipher.encrypt(text, column, "1")
        const index = at % value.length
        const changed = value.slice(0, index) + to + value.slice(index + 1)
        // Bits of the last base64 digit that stand for nothing.
        const same = Buffer.from(changed.split(":")[2] ?? "", "base64url").equals(Buffer.from(value.split(":")[2] ?? "", "base64url"))
        if (changed === value || (same && changed.startsWith("v2:k1:"))) return
        yield* Effect.flip(cipher.decrypt(changed, column, "1"))
      }))
  }))

  it.effect("never uses a nonce twice", () => Effect.gen(function*() {
    const cipher = yield* withKeys(`k1:${key(1)}`)
    const values = yield* Effect.replicateEffect(cipher.encrypt("the same", column, "1"), 20_000)
    const nonces = values.map((value) => Buffer.from(value.split(":")[2] ?? "", "base64url").subarray(0, 12).toString("hex"))
    assert.strictEqual(new Set(nonces).size, values.length)
  }))

  it.effect("encrypts with the first key and decrypts with every key of the ring", () => Effect.gen(function*() {
    const before = yield* withKeys(`old:${key(1)}`)
    const after = yield* withKeys(`new:${key(2)}, old:${key(1)}`)
    const value = yield* before.encrypt("kept", column, "1")
    assert.strictEqual(yield* after.decrypt(value, column, "1"), "kept")
    assert.match(yield* after.encrypt("kept", column, "1"), /^v2:new:/)
    const retired = yield* withKeys(`new:${key(2)}`)
    const error = yield* Effect.flip(retired.decrypt(value, column, "1"))
    assert.strictEqual(error.reason, "unknown_key")
    assert.include(error.message, "log_entries.description/1 was encrypted with key \"old\", which is not among ENCRYPTION_KEYS")
  }))

  it.effect("names the key when another one has its id", () => Effect.gen(function*() {
    const value = yield* (yield* withKeys(`k1:${key(1)}`)).encrypt("a secret", column, "1")
    const error = yield* Effect.flip((yield* withKeys(`k1:${key(2)}`)).decrypt(value, column, "1"))
    assert.strictEqual(error.reason, "tampered")
    assert.include(error.message, "key \"k1\"")
  }))

  it.effect("refuses a value that was moved, relabelled, cut, or never encrypted", () => Effect.gen(function*() {
    const cipher = yield* withKeys(`k1:${key(1)},k2:${key(1)}`)
    const value = yield* cipher.encrypt("a secret", column, "1")
    const reasonOf = (changed: string, row = "1", place: EncryptedColumn = column) =>
      Effect.map(Effect.flip(cipher.decrypt(changed, place, row)), (error) => error.reason)
    assert.strictEqual(yield* reasonOf(value, "2"), "tampered")
    assert.strictEqual(yield* reasonOf(value, "1", EncryptedColumn.projectDescription), "tampered")
    assert.strictEqual(yield* reasonOf(value.replace("k1", "k2")), "tampered")
    assert.strictEqual(yield* reasonOf(value.replace("v2", "v1")), "tampered")
    assert.strictEqual(yield* reasonOf(value.slice(0, 20)), "tampered")
    assert.strictEqual(yield* reasonOf("a secret"), "malformed")
    assert.strictEqual(yield* reasonOf(value.replace("v2", "v3")), "malformed")
  }))

  it.effect("reads what the format v1 wrote, which bound the text of tasks to no row", () => Effect.gen(function*() {
    const cipher = yield* withKeys(`k1:${key(1)}`)
    assert.strictEqual(yield* cipher.decrypt(v1Value(Buffer.alloc(32, 1), "k1", "old", "log_entries.description/7"), column, "7"), "old")
    assert.strictEqual(yield* cipher.decrypt(v1Value(Buffer.alloc(32, 1), "k1", "old", "tasks.text"), EncryptedColumn.taskResult, "any"), "old")
    yield* Effect.flip(cipher.decrypt(v1Value(Buffer.alloc(32, 1), "k1", "old", "tasks.text"), column, "7"))
  }))

  it.effect("digests are equal for equal bytes under one key and purpose, and for nothing else", () => Effect.gen(function*() {
    const both = yield* withKeys(`new:${key(2)},old:${key(1)}`)
    const old = yield* withKeys(`old:${key(1)}`)
    const bytes = Buffer.from("a question")
    const hex = (digests: ReadonlyArray<Uint8Array>) => digests.map((one) => Buffer.from(one).toString("hex"))
    const [newest, older] = hex(both.digests(bytes, "p"))
    assert.deepStrictEqual(hex(old.digests(bytes, "p")), [older])
    assert.notStrictEqual(newest, older)
    assert.notStrictEqual(hex(old.digests(bytes, "q"))[0], older)
    assert.notStrictEqual(hex(old.digests(Buffer.from("another"), "p"))[0], older)
  }))

  it.effect("makes keys that can be used, with an id of their own", () => Effect.gen(function*() {
    const [first, second] = [makeKey([]), makeKey(["k1", "k7", "legacy"])]
    assert.match(first, /^k1:/)
    assert.match(second, /^k8:/)
    assert.lengthOf(yield* parseKeyRing(Redacted.make(`${second},${first}`)), 2)
  }))

  it.effect("says what is wrong with ENCRYPTION_KEYS, without telling a key", () => Effect.gen(function*() {
    const problem = (keys: string) => Effect.map(Effect.flip(parseKeyRing(Redacted.make(keys))), (error) => error.message)
    assert.strictEqual(yield* problem(""), "ENCRYPTION_KEYS: there is no key in it; it must be id:base64key[,id2:base64key]")
    assert.strictEqual(yield* problem(key(1)), "ENCRYPTION_KEYS: entry 1 is not of the form id:base64key (id: letters, digits, - and _)")
    assert.strictEqual(yield* problem(`a:${key(1)},b:${key(2, 16)}`), "ENCRYPTION_KEYS: key \"b\" has 16 bytes, AES-256 needs 32")
    assert.strictEqual(yield* problem(`a:${key(1)},a:${key(2)}`), "ENCRYPTION_KEYS: two keys have the same id")
  }))
})

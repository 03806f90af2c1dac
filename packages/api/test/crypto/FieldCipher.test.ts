import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { FieldCipher, parseKeyRing } from "../../src/crypto/FieldCipher.ts"

const key = (fill: number, bytes = 32) => Buffer.alloc(bytes, fill).toString("base64")
const withKeys = (keys: string) => Effect.provide(FieldCipher, FieldCipher.layer(Redacted.make(keys)))

describe("field encryption", () => {
  it.effect("gives back what was put in, and never looks the same twice", () => Effect.gen(function*() {
    const cipher = yield* withKeys(`k1:${key(1)}`)
    const texts = ["", "a secret", "Grüße 🚀", "x".repeat(100_000)]
    for (const text of texts) {
      const [one, two] = [yield* cipher.encrypt(text, "t.c/1"), yield* cipher.encrypt(text, "t.c/1")]
      assert.notStrictEqual(one, two)
      assert.match(one, /^v1:k1:[A-Za-z0-9_-]+$/)
      assert.strictEqual(yield* cipher.decrypt(one, "t.c/1"), text)
    }
    assert.notInclude(yield* cipher.encrypt("a secret", "t.c/1"), "secret")
  }))

  it.effect("encrypts with the first key and decrypts with every key of the ring", () => Effect.gen(function*() {
    const before = yield* withKeys(`old:${key(1)}`)
    const after = yield* withKeys(`new:${key(2)}, old:${key(1)}`)
    const value = yield* before.encrypt("kept", "c")
    assert.strictEqual(yield* after.decrypt(value, "c"), "kept")
    assert.match(yield* after.encrypt("kept", "c"), /^v1:new:/)
    const retired = yield* withKeys(`new:${key(2)}`)
    const error = yield* Effect.flip(retired.decrypt(value, "c"))
    assert.strictEqual(error.reason, "unknown_key")
    assert.include(error.message, "key \"old\", which is not among ENCRYPTION_KEYS")
  }))

  it.effect("refuses a value that was changed, moved, or relabelled", () => Effect.gen(function*() {
    const cipher = yield* withKeys(`k1:${key(1)},k2:${key(1)}`)
    const value = yield* cipher.encrypt("a secret", "t.c/1")
    const reasonOf = (changed: string, context = "t.c/1") => Effect.map(Effect.flip(cipher.decrypt(changed, context)), (error) => error.reason)
    assert.strictEqual(yield* reasonOf(value, "t.c/2"), "tampered")
    assert.strictEqual(yield* reasonOf(value.replace("k1", "k2")), "tampered")
    const middle = value.length - 10
    assert.strictEqual(yield* reasonOf(value.slice(0, middle) + (value[middle] === "A" ? "B" : "A") + value.slice(middle + 1)), "tampered")
    assert.strictEqual(yield* reasonOf(value.slice(0, 20)), "tampered")
    assert.strictEqual(yield* reasonOf("a secret"), "malformed")
  }))

  it.effect("says what is wrong with ENCRYPTION_KEYS, without telling a key", () => Effect.gen(function*() {
    const problem = (keys: string) => Effect.map(Effect.flip(parseKeyRing(Redacted.make(keys))), (error) => error.message)
    assert.strictEqual(yield* problem(""), "ENCRYPTION_KEYS: there is no key in it; it must be id:base64key[,id2:base64key]")
    assert.strictEqual(yield* problem(key(1)), "ENCRYPTION_KEYS: entry 1 is not of the form id:base64key (id: letters, digits, - and _)")
    assert.strictEqual(yield* problem(`a:${key(1)},b:${key(2, 16)}`), "ENCRYPTION_KEYS: key \"b\" has 16 bytes, AES-256 needs 32")
    assert.strictEqual(yield* problem(`a:${key(1)},a:${key(2)}`), "ENCRYPTION_KEYS: two keys have the same id")
  }))
})

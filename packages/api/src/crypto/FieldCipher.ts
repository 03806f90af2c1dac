/**
 * Encryption at rest for single fields: AES-256-GCM under a ring of keys. A value says which key wrote it, so that keys can
 * be rotated: the first key of the ring encrypts, every key decrypts. The context (`table.column/row`) is authenticated
 * with the value; a value that was moved elsewhere does not decrypt there.
 */
import { Context, Effect, Layer, Redacted, Schema } from "effect"
import { createCipheriv, createDecipheriv, createSecretKey, type KeyObject, randomBytes } from "node:crypto"

/** `ENCRYPTION_KEYS` cannot be used; the message names the variable and never holds a key. */
export class InvalidEncryptionKeys extends Schema.TaggedError<InvalidEncryptionKeys>()("InvalidEncryptionKeys", {
  message: Schema.String
}) {}

/** A stored value cannot be read: its key is not in the ring, or it (or its context) is not what was written. */
export class FieldCipherError extends Schema.TaggedError<FieldCipherError>()("FieldCipherError", {
  reason: Schema.Literals(["malformed", "unknown_key", "tampered"]),
  message: Schema.String
}) {}

export class FieldCipher extends Context.Service<FieldCipher, {
  /** `v1:<key id>:<base64url of nonce, ciphertext and tag>` */
  readonly encrypt: (plain: string, context: string) => Effect.Effect<string>
  readonly decrypt: (value: string, context: string) => Effect.Effect<string, FieldCipherError>
}>()("@englog/api/crypto/FieldCipher") {
  /** `keys` is `id:base64key[,id2:base64key]`, each key 32 bytes. */
  static readonly layer = (keys: Redacted.Redacted<string>): Layer.Layer<FieldCipher, InvalidEncryptionKeys> =>
    Layer.effect(FieldCipher, Effect.map(parseKeyRing(keys), makeCipher))
}

/** Keys by id, in the order of the ring. */
export type KeyRing = readonly [readonly [id: string, key: KeyObject], ...ReadonlyArray<readonly [id: string, key: KeyObject]>]

export const parseKeyRing = Effect.fnUntraced(function*(
  keys: Redacted.Redacted<string>
): Effect.fn.Return<KeyRing, InvalidEncryptionKeys> {
  const parts = Redacted.value(keys).split(",").map((part) => part.trim()).filter((part) => part !== "")
  const parsed = yield* Effect.forEach(parts, (part, index) => parseKey(part, index + 1))
  const [first, ...rest] = parsed
  if (first === undefined) return yield* invalid("there is no key in it; it must be id:base64key[,id2:base64key]")
  if (new Set(parsed.map(([id]) => id)).size < parsed.length) return yield* invalid("two keys have the same id")
  return [first, ...rest]
})

const parseKey = Effect.fnUntraced(function*(part: string, position: number) {
  const match = /^([A-Za-z0-9_-]{1,32}):([A-Za-z0-9+/_-]+={0,2})$/.exec(part)
  const [, id, encoded] = match ?? []
  if (id === undefined || encoded === undefined) {
    return yield* invalid(`entry ${position} is not of the form id:base64key (id: letters, digits, - and _)`)
  }
  const bytes = Buffer.from(encoded, "base64")
  if (bytes.length !== 32) return yield* invalid(`key "${id}" has ${bytes.length} bytes, AES-256 needs 32`)
  return [id, createSecretKey(bytes)] as const
})

const invalid = (problem: string) => new InvalidEncryptionKeys({ message: `ENCRYPTION_KEYS: ${problem}` })

const VERSION = "v1"
const NONCE_BYTES = 12
const TAG_BYTES = 16

const makeCipher = (ring: KeyRing): FieldCipher["Service"] => {
  const [currentId, currentKey] = ring[0]
  const byId = new Map(ring)
  return {
    encrypt: (plain, context) => Effect.sync(() => `${VERSION}:${currentId}:${seal(currentKey, plain, aad(currentId, context))}`),
    decrypt: Effect.fnUntraced(function*(value: string, context: string) {
      const [version, id, body, ...more] = value.split(":")
      if (version !== VERSION || id === undefined || body === undefined || more.length > 0) {
        return yield* new FieldCipherError({ reason: "malformed", message: `A value of ${context} is not encrypted as expected` })
      }
      const key = byId.get(id)
      if (key === undefined) {
        return yield* new FieldCipherError({
          reason: "unknown_key",
          message: `A value of ${context} was encrypted with key "${id}", which is not among ENCRYPTION_KEYS`
        })
      }
      return yield* Effect.try({
        try: () => open(key, Buffer.from(body, "base64url"), aad(id, context)),
        catch: () => new FieldCipherError({ reason: "tampered", message: `A value of ${context} was changed or moved; it does not decrypt` })
      })
    })
  }
}

const aad = (keyId: string, context: string): Buffer => Buffer.from(`${VERSION}:${keyId}:${context}`, "utf8")

const seal = (key: KeyObject, plain: string, data: Buffer): string => {
  const nonce = randomBytes(NONCE_BYTES)
  const cipher = createCipheriv("aes-256-gcm", key, nonce).setAAD(data)
  return Buffer.concat([nonce, cipher.update(plain, "utf8"), cipher.final(), cipher.getAuthTag()]).toString("base64url")
}

const open = (key: KeyObject, sealed: Buffer, data: Buffer): string => {
  const nonce = sealed.subarray(0, NONCE_BYTES)
  const tag = sealed.subarray(sealed.length - TAG_BYTES)
  const decipher = createDecipheriv("aes-256-gcm", key, nonce, { authTagLength: TAG_BYTES }).setAAD(data).setAuthTag(tag)
  return Buffer.concat([decipher.update(sealed.subarray(NONCE_BYTES, sealed.length - TAG_BYTES)), decipher.final()]).toString("utf8")
}

/**
 * Encryption at rest for single fields: AES-256-GCM under a ring of keys. A value says which key wrote it, so that keys can
 * be rotated: the first key of the ring encrypts, every key decrypts. Column and row are authenticated with the value; one
 * that was moved elsewhere does not decrypt there.
 */
import { Context, Effect, Layer, Redacted, Schema } from "effect"
import {
  createCipheriv, createDecipheriv, createHmac, createSecretKey, hkdfSync, type KeyObject, randomBytes
} from "node:crypto"
import type { EncryptedColumn } from "./EncryptedColumns.ts"

/** `ENCRYPTION_KEYS` cannot be used; the message names the variable and never holds a key. */
export class InvalidEncryptionKeys extends Schema.TaggedError<InvalidEncryptionKeys>()("InvalidEncryptionKeys", {
  message: Schema.String
}) {}

/** A stored value cannot be read: its key is not in the ring, or it (or its place) is not what was written. */
export class FieldCipherError extends Schema.TaggedError<FieldCipherError>()("FieldCipherError", {
  reason: Schema.Literals(["malformed", "unknown_key", "tampered"]),
  message: Schema.String
}) {}

export class FieldCipher extends Context.Service<FieldCipher, {
  /** `v2:<key id>:<base64url of nonce, ciphertext and tag>` */
  readonly encrypt: (plain: string, column: EncryptedColumn, row: string) => Effect.Effect<string>
  readonly decrypt: (value: string, column: EncryptedColumn, row: string) => Effect.Effect<string, FieldCipherError>
  /** How values begin that are as new ones would be: newest format, newest key. */
  readonly currentPrefix: string
  /** Newest first. */
  readonly keyIds: readonly [string, ...ReadonlyArray<string>]
  /** Keyed digests of 32 bytes, one for each key, newest first: equal for equal bytes, in one piece or several, and no help in guessing them. Few purposes: their keys are kept. */
  readonly digests: (bytes: Uint8Array | ReadonlyArray<Uint8Array>, purpose: string) => readonly [Uint8Array, ...ReadonlyArray<Uint8Array>]
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

/** `<id>:<32 random bytes in base64>`, with an id that none of the others has. */
export const makeKey = (others: ReadonlyArray<string>): string => {
  const numbers = others.map((id) => Number(/^k(\d{1,9})$/.exec(id)?.[1] ?? 0))
  return `k${Math.max(0, ...numbers) + 1}:${randomBytes(KEY_BYTES).toString("base64")}`
}

const KEY_BYTES = 32

const parseKey = Effect.fnUntraced(function*(part: string, position: number) {
  const match = /^([A-Za-z0-9_-]{1,32}):([A-Za-z0-9+/_-]+={0,2})$/.exec(part)
  const [, id, encoded] = match ?? []
  if (id === undefined || encoded === undefined) {
    return yield* invalid(`entry ${position} is not of the form id:base64key (id: letters, digits, - and _)`)
  }
  const bytes = Buffer.from(encoded, "base64")
  if (bytes.length !== KEY_BYTES) return yield* invalid(`key "${id}" has ${bytes.length} bytes, AES-256 needs ${KEY_BYTES}`)
  return [id, createSecretKey(bytes)] as const
})

const invalid = (problem: string) => new InvalidEncryptionKeys({ message: `ENCRYPTION_KEYS: ${problem}` })

const VERSION = "v2"
const NONCE_BYTES = 12
const TAG_BYTES = 16

const makeCipher = (ring: KeyRing): FieldCipher["Service"] => {
  const [[currentId, currentKey], ...older] = ring
  const byId = new Map(ring)
  const derived = new Map<string, KeyObject>()
  /** Deriving a key takes longer than using it; purposes are few. */
  const digestKey = (id: string, key: KeyObject, purpose: string): KeyObject => {
    const name = `${id} ${purpose}`
    const known = derived.get(name) ?? derivedKey(key, purpose)
    derived.set(name, known)
    return known
  }
  return {
    keyIds: [currentId, ...older.map(([id]) => id)],
    currentPrefix: `${VERSION}:${currentId}:`,
    encrypt: (plain, column, row) =>
      Effect.sync(() => `${VERSION}:${currentId}:${seal(currentKey, plain, aad(VERSION, currentId, contextOf(column, row)))}`),
    decrypt: Effect.fnUntraced(function*(value: string, column: EncryptedColumn, row: string) {
      const place = contextOf(column, row)
      const [version, id, body, ...more] = value.split(":")
      if ((version !== VERSION && version !== "v1") || id === undefined || body === undefined || more.length > 0) {
        return yield* new FieldCipherError({ reason: "malformed", message: `A value of ${place} is not encrypted as expected` })
      }
      const key = byId.get(id)
      if (key === undefined) {
        return yield* new FieldCipherError({
          reason: "unknown_key",
          message: `A value of ${place} was encrypted with key "${id}", which is not among ENCRYPTION_KEYS`
        })
      }
      const context = version === "v1" ? column.v1Context ?? place : place
      return yield* Effect.try({
        try: () => open(key, Buffer.from(body, "base64url"), aad(version, id, context)),
        catch: () =>
          new FieldCipherError({
            reason: "tampered",
            message: `A value of ${place} does not decrypt with key "${id}": it was changed or moved, or that is not the key that wrote it`
          })
      })
    }),
    digests: (bytes, purpose) => [
      hmac(digestKey(currentId, currentKey, purpose), bytes),
      ...older.map(([id, key]) => hmac(digestKey(id, key, purpose), bytes))
    ]
  }
}

const contextOf = ({ purpose }: EncryptedColumn, row: string): string => `${purpose}/${row}`

const aad = (version: string, keyId: string, context: string): Buffer => Buffer.from(`${version}:${keyId}:${context}`, "utf8")

/** A random nonce of 96 bits (NIST SP 800-38D, 8.2.2): good for 2^32 values under one key. */
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

/** HKDF (RFC 5869), so that no key serves two algorithms. */
const derivedKey = (key: KeyObject, purpose: string): KeyObject =>
  createSecretKey(new Uint8Array(hkdfSync("sha256", key, "", `englog digest ${purpose}`, KEY_BYTES)))

const hmac = (key: KeyObject, bytes: Uint8Array | ReadonlyArray<Uint8Array>): Uint8Array => {
  const digest = createHmac("sha256", key)
  for (const part of bytes instanceof Uint8Array ? [bytes] : bytes) digest.update(part)
  return digest.digest()
}

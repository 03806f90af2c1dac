/**
 * The secrets of an installation that sets none: made once, kept in DATA_DIR (mode 0600; files that others can read are
 * closed with a warning), the same for every process on that folder. Only for the embedded database: replicas on a shared one must be given theirs.
 *
 * Losing `encryption_keys` loses every encrypted text: back it up together with the database.
 */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { Context, Effect, Layer, Redacted, Schema } from "effect"
import type { PlatformError } from "effect/PlatformError"
import { randomBytes } from "node:crypto"
import * as path from "node:path"
import { makeKey } from "../crypto/FieldCipher.ts"
import { DataDir } from "./DataDir.ts"
import { KeptFile } from "./embedded/KeptFile.ts"
import { PrivateFile } from "./PrivateFile.ts"

/** A kept secret cannot be read, made, or used; `message` names the file. */
export class LocalSecretsError extends Schema.TaggedError<LocalSecretsError>()("LocalSecretsError", {
  message: Schema.String,
  cause: Schema.optionalKey(Schema.Defect())
}) {}

export class LocalSecrets extends Context.Service<LocalSecrets, {
  /** 48 random bytes, base64url. */
  readonly jwtSecretKey: Redacted.Redacted
  /** `k1:` and 32 random bytes in base64; a comma-separated list, newest first, once there is more than one. */
  readonly encryptionKeys: Redacted.Redacted
}>()("@englog/api/db/LocalSecrets") {
  static readonly layer = (options: { readonly dataDir: string }): Layer.Layer<LocalSecrets, LocalSecretsError> =>
    Layer.effect(LocalSecrets, make(options.dataDir)).pipe(Layer.provide(NodeFileSystem.layer))

  /** Puts a new key in front of those that are kept; answers its id. Whoever runs already goes on with what it read. */
  static readonly addEncryptionKey = (dataDir: string): Effect.Effect<string, LocalSecretsError> =>
    Effect.provide(addKey(dataDir), NodeFileSystem.layer)
}

const explained = <A, R>(effect: Effect.Effect<A, LocalSecretsError | PlatformError, R>) =>
  Effect.catchTag(effect, "PlatformError", (cause) =>
    new LocalSecretsError({ message: `The secrets in DATA_DIR cannot be used: ${cause.message}`, cause }))

const make = Effect.fnUntraced(function*(dataDir: string) {
  const folder = yield* DataDir.ensure(dataDir)
  return LocalSecrets.of({
    jwtSecretKey: yield* kept(path.join(folder, "jwt_secret_key"), /^[\w-]{43,}$/, () => randomBytes(48).toString("base64url")),
    encryptionKeys: yield* keptKeys(path.join(folder, "encryption_keys"))
  })
}, explained)

const addKey = Effect.fnUntraced(function*(dataDir: string) {
  const file = path.join(yield* DataDir.ensure(dataDir), "encryption_keys")
  const keys = Redacted.value(yield* keptKeys(file))
  const key = makeKey(keys.split(",").map(idOf))
  yield* KeptFile.write(file, `${key},${keys}`)
  return idOf(key)
}, explained)

const idOf = (key: string): string => key.split(":", 1)[0] ?? ""

const keptKeys = (file: string) =>
  kept(file, /^[^\s:,]+:[A-Za-z0-9+/]{43}=(,[^\s:,]+:[A-Za-z0-9+/]{43}=)*$/, () => makeKey([]))

const kept = Effect.fnUntraced(function*(file: string, form: RegExp, generate: () => string) {
  const value = yield* KeptFile.readOrMake(file, Effect.sync(generate))
  yield* PrivateFile.close(file)
  if (!form.test(value)) {
    return yield* new LocalSecretsError({
      message: `${file} does not hold a secret of the expected form. Restore it from a backup; delete it only if nothing ` +
        "that it signed or encrypted is needed any more."
    })
  }
  return Redacted.make(value)
})

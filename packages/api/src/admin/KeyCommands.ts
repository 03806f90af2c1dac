/**
 * Encryption keys from the command line: a new one, the rotation to it, and what still needs an older one.
 */
import { Console, Effect, Redacted } from "effect"
import { AppConfig } from "../AppConfig.ts"
import { makeKey } from "../crypto/FieldCipher.ts"
import { type KeyCount, KeyRotation, type Progress } from "../crypto/KeyRotation.ts"
import { LocalSecrets } from "../db/LocalSecrets.ts"
import { EntryWordIndex } from "../entries/EntryWordIndex.ts"

export const countKeys = Effect.gen(function*() {
  return (yield* (yield* KeyRotation).count).map(sentenceOf).join("\n")
})

/** Tells of its progress on standard output; answers what remains to be said. */
export const rotateKeys = Effect.fn("KeyCommands.rotateKeys")(function*() {
  const rotation = yield* KeyRotation
  const before = (yield* rotation.count).reduce((all, { outdated }) => all + outdated, 0)
  yield* Console.log(`${before} values are to be rotated.`)
  const rotated = yield* rotation.rotate(({ column: { column, table }, rotated }: Progress) =>
    Console.log(`${table}.${column}: ${rotated} rotated`))
  // They are read from what was rotated, and are found by the newest key from now on.
  const words = yield* (yield* EntryWordIndex).renew
  if (words.renewed > 0) yield* Console.log(`log_entries.word_digests: ${words.renewed} made anew`)
  const counts = yield* rotation.count
  return [`${rotated} values were rotated.`, ...counts.map(sentenceOf)].join("\n")
})

const sentenceOf = ({ key_id, outdated, values }: KeyCount, index: number): string =>
  index === 0
    ? `Key "${key_id}", the newest: ${values} values${outdated === 0 ? "" : `, ${outdated} of them in an older format`}.`
    : values === 0
    ? `Key "${key_id}": no value needs it any more. It can go from ENCRYPTION_KEYS; keep it as long as you keep backups from before.`
    : `Key "${key_id}": ${values} values still need it.`

/**
 * A new key in front of the others: in DATA_DIR where the secrets are kept there, else printed for whoever sets
 * ENCRYPTION_KEYS. Servers that run go on with the keys they started with.
 */
export const newKey = Effect.fn("KeyCommands.newKey")(function*() {
  const { data } = yield* AppConfig
  if (data._tag === "Embedded") {
    const id = yield* LocalSecrets.addEncryptionKey(data.dataDir)
    return `Key "${id}" was added to ${data.dataDir}/encryption_keys: back that file up. Restart EngLog, then: npm run admin -- rotate-keys`
  }
  const ids = Redacted.value(data.encryptionKeys).split(",").map((part) => part.trim().split(":", 1)[0] ?? "")
  return [
    makeKey(ids),
    "Add it to the END of ENCRYPTION_KEYS of every API server and restart them; then move it to the FRONT and restart them again;",
    "then: npm run admin -- rotate-keys"
  ].join("\n")
})

/**
 * Rotation of keys: every encrypted value of every table is written anew with the first key of the ring. What is done shows
 * in the values themselves, so a rotation that was killed goes on where it was, and several at once do no harm. A value
 * that changes between being read and being replaced keeps the change.
 */
import { Context, Effect, Layer, Schema } from "effect"
import type { SqlError } from "effect/sql/SqlError"
import { type EncryptedColumn, encryptedColumns, type PlainColumn, plainColumns } from "./EncryptedColumns.ts"
import { EncryptedValueRepo, type KeyUse, type NextValue, type StoredValue } from "./EncryptedValueRepo.ts"
import { FieldCipher, type FieldCipherError } from "./FieldCipher.ts"

/** Not every value is under the newest key; the message says why and what to do. What was rotated stays so. */
export class RotationIncomplete extends Schema.TaggedError<RotationIncomplete>()("RotationIncomplete", {
  reason: Schema.Literals(["server_without_key", "unreadable_values", "still_written"]),
  message: Schema.String
}) {}

/** Values under one key; `outdated`: those that a rotation would write anew. */
export interface KeyCount {
  readonly key_id: string
  readonly values: number
  readonly outdated: number
}

export interface Progress {
  readonly column: EncryptedColumn
  /** In this pass so far. */
  readonly rotated: number
}

export class KeyRotation extends Context.Service<KeyRotation, {
  /** One for each key of the ring, newest first, then keys that are not in it. */
  readonly count: Effect.Effect<ReadonlyArray<KeyCount>, SqlError>
  /** Answers how many values were written anew. `report` is told of each batch. */
  readonly rotate: (report: (progress: Progress) => Effect.Effect<void>) => Effect.Effect<
    number,
    SqlError | RotationIncomplete
  >
  /** Seals what is left in columns that were plain once; answers how many texts. */
  readonly sealPlain: Effect.Effect<number, SqlError>
}>()("@englog/api/crypto/KeyRotation") {
  static readonly layer = Layer.effect(
    KeyRotation,
    Effect.gen(function*() {
      const cipher = yield* FieldCipher
      const repo = yield* EncryptedValueRepo

      const count = Effect.forEach(encryptedColumns, repo.countByKey).pipe(
        Effect.map((perColumn) => keyCounts(perColumn.flat(), cipher)),
        Effect.withSpan("KeyRotation.count")
      )

      const renewed = (column: EncryptedColumn) => (stored: StoredValue) =>
        cipher.decrypt(stored.value, column, stored.row).pipe(
          Effect.flatMap((plain) => cipher.encrypt(plain, column, stored.row)),
          Effect.map((next): NextValue => ({ ...stored, next }))
        )

      /** Values that cannot be read stay as they are; the others of their batch do not wait for them. */
      const rotateColumn = Effect.fnUntraced(function*(column: EncryptedColumn, report: (progress: Progress) => Effect.Effect<void>) {
        let after: ReadonlyArray<string> = []
        let rotated = 0
        const unreadable: Array<FieldCipherError> = []
        while (true) {
          const batch = yield* repo.outdated(column, cipher.currentPrefix, after, column.batch ?? BATCH)
          const last = batch.at(-1)
          if (last === undefined) return { rotated, unreadable }
          const [values, failures] = yield* Effect.partition(batch, renewed(column))
          unreadable.push(...failures)
          rotated += yield* repo.replace(column, values)
          yield* report({ column, rotated })
          after = last.key
        }
      })

      const rotate: KeyRotation["Service"]["rotate"] = Effect.fn("KeyRotation.rotate")(function*(report) {
        const blind = yield* repo.serversWithout(cipher.keyIds[0])
        if (blind > 0) return yield* withoutKey(cipher.keyIds[0], blind)
        let rotated = 0
        // A message may move to a table that was seen before, and a server that is being restarted may still write.
        for (let pass = 0; pass < PASSES; pass++) {
          const columns = yield* Effect.forEach(encryptedColumns, (column) => rotateColumn(column, report))
          rotated += columns.reduce((all, column) => all + column.rotated, 0)
          const [unreadable, ...more] = columns.flatMap((column) => column.unreadable)
          if (unreadable !== undefined) return yield* unreadableValues(unreadable, more.length)
          if ((yield* count).every(({ outdated }) => outdated === 0)) return rotated
        }
        return yield* stillWritten(cipher.keyIds[0], yield* count)
      })

      const sealColumn = Effect.fnUntraced(function*(column: PlainColumn) {
        let sealed = 0
        while (true) {
          const batch = yield* repo.plain(column, BATCH)
          if (batch.length === 0) return sealed
          const next = yield* Effect.forEach(batch, (stored) =>
            cipher.encrypt(stored.value, column.into, stored.row).pipe(Effect.map((next) => ({ ...stored, next }))))
          sealed += yield* repo.seal(column, next)
        }
      })

      return KeyRotation.of({
        count,
        rotate,
        sealPlain: Effect.forEach(plainColumns, sealColumn).pipe(
          Effect.map((counts) => counts.reduce((all, one) => all + one, 0)),
          Effect.withSpan("KeyRotation.sealPlain")
        )
      })
    })
  ).pipe(Layer.provide(EncryptedValueRepo.layer))
}

/** Values per statement: a batch locks its rows for some milliseconds. */
const BATCH = 200

const PASSES = 3

const keyCounts = (uses: ReadonlyArray<KeyUse>, { currentPrefix, keyIds }: FieldCipher["Service"]): ReadonlyArray<KeyCount> =>
  [...new Set([...keyIds, ...uses.map(({ key_id }) => key_id)])].map((key_id) => {
    const mine = uses.filter((use) => use.key_id === key_id)
    return { key_id, values: sum(mine), outdated: sum(mine.filter((use) => `${use.format}:${use.key_id}:` !== currentPrefix)) }
  })

const withoutKey = (key_id: string, servers: number) =>
  new RotationIncomplete({
    reason: "server_without_key",
    message: `${servers} running API server(s) do not have the key "${key_id}" yet and could not read what it encrypts: ` +
      "restart them with the present ENCRYPTION_KEYS, then run this again"
  })

const unreadableValues = (first: FieldCipherError, more: number) =>
  new RotationIncomplete({
    reason: "unreadable_values",
    message: `${first.message}${more === 0 ? "" : ` (and ${more} more)`}. All other values are rotated. ` +
      "Give the missing key back to ENCRYPTION_KEYS, or restore the value from a backup, then run this again"
  })

const stillWritten = (key_id: string, counts: ReadonlyArray<KeyCount>) =>
  new RotationIncomplete({
    reason: "still_written",
    message: `After ${PASSES} passes there are values under ` +
      `${counts.filter(({ outdated }) => outdated > 0).map((count) => `"${count.key_id}"`).join(", ")} again: restart every API ` +
      `server with "${key_id}" as the first of its ENCRYPTION_KEYS, then run this again`
  })

const sum = (uses: ReadonlyArray<{ readonly count: number }>): number => uses.reduce((all, { count }) => all + count, 0)

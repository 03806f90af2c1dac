/**
 * Keeps the digests of words under the newest key: entries that an earlier version wrote have none, and those under an older
 * key are found only as long as that key is in the ring. What is done shows in the rows, so it goes on where it was; several
 * at once do no harm. An entry that changes meanwhile has its digests from whoever changes it.
 */
import { EntryId, UserId } from "@englog/domain/Ids"
import { Context, Effect, Layer, Result, Schema } from "effect"
import { SqlClient } from "effect/sql"
import type { SqlError } from "effect/sql/SqlError"
import { EncryptedColumn } from "../crypto/EncryptedColumns.ts"
import { FieldCipher } from "../crypto/FieldCipher.ts"
import { waitedOut, warnUnlessOutage } from "../db/Outage.ts"
import { wordDigests } from "./EntryWords.ts"

export interface RenewedWords {
  readonly renewed: number
  /** Their description cannot be decrypted: they are found by no search until it can. */
  readonly unreadable: number
}

export class EntryWordIndex extends Context.Service<EntryWordIndex, {
  readonly renew: Effect.Effect<RenewedWords, SqlError>
}>()("@englog/api/entries/EntryWordIndex") {
  static readonly layer: Layer.Layer<EntryWordIndex, never, SqlClient.SqlClient | FieldCipher> = Layer.effect(
    EntryWordIndex,
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      const cipher = yield* FieldCipher
      const [newest] = cipher.keyIds

      const outdated = Effect.fnUntraced(function*(after: string) {
        const rows = yield* sql`
          SELECT id, user_id, title, description FROM log_entries
          WHERE words_key IS DISTINCT FROM ${newest}::text AND id > ${after}::uuid ORDER BY id LIMIT ${BATCH}::int`
        return yield* Effect.orDie(decodeRows(rows))
      })

      const digested = Effect.fnUntraced(function*({ description, id, title, user_id }: typeof Row.Type) {
        const plain = description === null ? null : yield* cipher.decrypt(description, EncryptedColumn.entryDescription, id)
        return { id, title, description, word_digests: wordDigests(cipher, user_id, { title, description: plain }) }
      })

      const write = (rows: ReadonlyArray<Effect.Success<ReturnType<typeof digested>>>) =>
        sql`
          UPDATE log_entries e SET word_digests = r.word_digests, words_key = ${newest}::text
          FROM jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) AS r (id uuid, title text, description text, word_digests bigint[])
          WHERE e.id = r.id AND e.title = r.title AND e.description IS NOT DISTINCT FROM r.description
          RETURNING 1 AS one`

      return EntryWordIndex.of({
        renew: Effect.gen(function*() {
          let after = "00000000-0000-0000-0000-000000000000"
          let renewed = 0
          let unreadable = 0
          while (true) {
            const batch = yield* outdated(after)
            const last = batch.at(-1)
            if (last === undefined) return { renewed, unreadable }
            const results = yield* Effect.forEach(batch, (row) => Effect.result(digested(row)))
            const readable = results.flatMap((result) => Result.isSuccess(result) ? [result.success] : [])
            unreadable += results.length - readable.length
            renewed += (yield* write(readable)).length
            after = last.id
          }
        }).pipe(Effect.withSpan("EntryWordIndex.renew"))
      })
    })
  )
}

/** Beside whatever else the server does: what an earlier version wrote is searched a little later. */
export const renewWordsOnStart = Layer.effectDiscard(
  Effect.flatMap(EntryWordIndex, ({ renew }) => waitedOut(renew)).pipe(
    Effect.tap(({ renewed, unreadable }) =>
      renewed + unreadable === 0 ? Effect.void : Effect.logInfo("made the words of entries anew", { renewed, unreadable })),
    Effect.catchCause((cause) => warnUnlessOutage("the words of entries could not be made anew; trying again at the next start", cause)),
    Effect.annotateLogs({ component: "entries", operation: "renew_words" }),
    Effect.forkScoped
  )
)

/** Entries per statement: a batch locks its rows for some milliseconds. */
const BATCH = 200

const Row = Schema.Struct({ id: EntryId, user_id: UserId, title: Schema.String, description: Schema.NullOr(Schema.String) })
const decodeRows = Schema.decodeUnknownEffect(Schema.Array(Row))

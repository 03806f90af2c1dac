/**
 * Proposals in PostgreSQL, all that is text of them encrypted, and known again by keyed digests. Every method joins a transaction
 * that is open.
 */
import { ActivityType, ImpactLevel } from "@englog/domain/entries/LogEntry"
import { EntryId, ImportId, ProposalId, UserId } from "@englog/domain/Ids"
import type { ImportedItem } from "@englog/domain/imports/ImportedItem"
import { RecordedEntry } from "@englog/domain/imports/Inbox"
import type { Period } from "@englog/domain/users/LocalDays"
import { Context, DateTime, Effect, Layer, Schema } from "effect"
import { SqlClient } from "effect/sql"
import type { SqlError } from "effect/sql/SqlError"
import { EncryptedColumn } from "../crypto/EncryptedColumns.ts"
import { FieldCipher } from "../crypto/FieldCipher.ts"
import { contentDigests, itemDigests, sourceIdOf } from "../crypto/ItemDigests.ts"

/** What is text of a proposal. */
const Content = Schema.Struct({
  source_id: Schema.String,
  /** The end of `source_id` that tells apart what shares an id, empty where nothing does. Null: stored before it was kept. */
  occurrence: Schema.NullOr(Schema.String).pipe(Schema.withDecodingDefaultKey(Effect.succeed(null))),
  title: Schema.String,
  description: Schema.NullOr(Schema.String),
  type: ActivityType,
  impact_level: ImpactLevel,
  tags: Schema.Array(Schema.String),
  project: Schema.NullOr(Schema.String)
})

export const ProposalState = Schema.Literals(["open", "accepted", "dismissed"])
export type ProposalState = typeof ProposalState.Type

const row = {
  id: ProposalId,
  import_id: Schema.NullOr(ImportId),
  source: Schema.String,
  entry_id: Schema.NullOr(EntryId),
  removed: Schema.Boolean,
  start_time: Schema.DateTimeUtcFromDate,
  end_time: Schema.DateTimeUtcFromDate,
  all_day: Schema.Boolean,
  state: ProposalState,
  updated_at: Schema.DateTimeUtcFromDate
}

const Row = Schema.Struct({ ...row, content: Schema.String })
const StoredProposal = Schema.Struct({ ...row, ...Content.fields })
export type StoredProposal = typeof StoredProposal.Type

/** What is known of an item that was imported before. */
export interface KnownItem {
  readonly id: ProposalId
  readonly state: ProposalState
  readonly entry_id: EntryId | null
  readonly removed: boolean
  /** The source says exactly what it said before. */
  readonly same: boolean
}

export interface WrittenProposal {
  readonly id: ProposalId
  readonly item: ImportedItem
  readonly state: ProposalState
}

/** The import that writes. */
export interface WritingImport {
  readonly id: ImportId
  readonly user_id: UserId
  readonly feed_digest: Uint8Array | null
}

export class ProposalRepo extends Context.Service<ProposalRepo, {
  /** Nobody else imports for the user until the transaction ends. */
  readonly lockInbox: (user: UserId) => Effect.Effect<void, SqlError>
  /** In the order of the items; undefined where one is new. */
  readonly known: (user: UserId, items: ReadonlyArray<ImportedItem>) => Effect.Effect<ReadonlyArray<KnownItem | undefined>, SqlError>
  readonly insert: (by: WritingImport, proposals: ReadonlyArray<WrittenProposal>) => Effect.Effect<void, SqlError>
  readonly update: (by: WritingImport, proposals: ReadonlyArray<WrittenProposal>) => Effect.Effect<void, SqlError>
  /** Marks what the feed had within the period, and this import did not find; answers how many. */
  readonly removeMissing: (by: WritingImport, period: Period) => Effect.Effect<number, SqlError>
  /** Those that start in the period and wait for a decision, in the order of their start; at most `limit`. */
  readonly open: (user: UserId, period: Period, limit: number) => Effect.Effect<ReadonlyArray<StoredProposal>, SqlError>
  /** Those of the ids that are the user's, whatever their state, as they are until the transaction ends. */
  readonly lock: (user: UserId, ids: ReadonlyArray<ProposalId>) => Effect.Effect<ReadonlyArray<StoredProposal>, SqlError>
  readonly decide: (
    user: UserId,
    decided: ReadonlyArray<{ readonly id: ProposalId; readonly state: ProposalState; readonly entry_id: EntryId | null }>
  ) => Effect.Effect<void, SqlError>
  /** Entries that have some of their time in the period; at most `limit`. */
  readonly recorded: (user: UserId, period: Period, limit: number) => Effect.Effect<ReadonlyArray<RecordedEntry>, SqlError>
}>()("@englog/api/imports/ProposalRepo") {
  static readonly layer: Layer.Layer<ProposalRepo, never, SqlClient.SqlClient | FieldCipher> = Layer.effect(
    ProposalRepo,
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      const cipher = yield* FieldCipher

      const sealed = Effect.fnUntraced(function*({ id, item, state }: WrittenProposal) {
        const content = yield* Effect.orDie(encodeContent({ ...item, source_id: sourceIdOf(item) }))
        // Thousands of them are sealed within one outcome: others must have their turn in between.
        yield* Effect.yieldNow
        return {
          id,
          source: item.source,
          item_digest: itemDigests(cipher, item)[0],
          content_digest: contentDigests(cipher, item)[0],
          content: yield* cipher.encrypt(content, EncryptedColumn.proposalContent, id),
          start_time: DateTime.formatIso(item.start_time),
          end_time: DateTime.formatIso(item.end_time),
          all_day: item.all_day,
          removed: item.removed,
          state
        }
      })
      /** As the relation `r`. */
      const rowsOf = (proposals: ReadonlyArray<WrittenProposal>) =>
        Effect.map(Effect.forEach(proposals, sealed), (rows) =>
          sql`jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) AS r (id uuid, source text, item_digest text, content_digest text, content text,
            start_time timestamptz, end_time timestamptz, all_day boolean, removed boolean, state text)`)

      const fromRow = Effect.fnUntraced(function*(raw: unknown) {
        const { content, ...rest } = yield* decodeRow(raw)
        return { ...rest, ...yield* decodeContent(yield* cipher.decrypt(content, EncryptedColumn.proposalContent, rest.id)) }
      }, Effect.orDie)

      const columns = sql.literal("p.id, p.import_id, p.source, p.entry_id, p.removed, p.start_time, p.end_time, p.all_day, p.state, p.updated_at, p.content")

      return ProposalRepo.of({
        // Not in the way of foreign keys, which lock the key only.
        lockInbox: Effect.fn("ProposalRepo.lockInbox")((user) =>
          Effect.asVoid(sql`SELECT 1 AS one FROM users WHERE id = ${user} FOR NO KEY UPDATE`)
        ),
        known: Effect.fn("ProposalRepo.known")(function*(user, items) {
          const asked = items.map((item, number) => ({ number, source: item.source, items: itemDigests(cipher, item), contents: contentDigests(cipher, item) }))
          const rows = yield* sql`
            SELECT a.number, p.id, p.state, p.entry_id, p.removed, encode(p.content_digest, 'hex') AS content_digest
            FROM jsonb_to_recordset(${JSON.stringify(asked)}::jsonb) AS a (number integer, source text, items jsonb)
            CROSS JOIN LATERAL jsonb_array_elements_text(a.items) AS d (digest)
            JOIN proposals p ON p.user_id = ${user}::uuid AND p.source = a.source AND p.item_digest = decode(d.digest, 'hex')`
          const found = new Map((yield* Effect.orDie(decodeKnown(rows))).map((known) => [known.number, known]))
          return asked.map(({ contents, number }) => {
            const known = found.get(number)
            return known === undefined
              ? undefined
              : { id: known.id, state: known.state, entry_id: known.entry_id, removed: known.removed, same: contents.includes(known.content_digest) }
          })
        }),
        insert: Effect.fn("ProposalRepo.insert")(function*(by, proposals) {
          yield* sql`
            INSERT INTO proposals (id, user_id, import_id, source, item_digest, content_digest, feed_digest, content, start_time, end_time, all_day,
              removed, state)
            SELECT r.id, ${by.user_id}::uuid, ${by.id}::uuid, r.source, decode(r.item_digest, 'hex'), decode(r.content_digest, 'hex'),
              ${by.feed_digest}::bytea, r.content, r.start_time, r.end_time, r.all_day, r.removed, r.state
            FROM ${yield* rowsOf(proposals)}`
        }),
        update: Effect.fn("ProposalRepo.update")(function*(by, proposals) {
          yield* sql`
            UPDATE proposals p SET import_id = ${by.id}::uuid, item_digest = decode(r.item_digest, 'hex'),
              content_digest = decode(r.content_digest, 'hex'), feed_digest = coalesce(${by.feed_digest}::bytea, p.feed_digest), content = r.content,
              start_time = r.start_time, end_time = r.end_time, all_day = r.all_day, removed = r.removed, state = r.state,
              updated_at = CASE WHEN p.content_digest = decode(r.content_digest, 'hex') AND p.removed = r.removed THEN p.updated_at ELSE now() END
            FROM ${yield* rowsOf(proposals)} WHERE p.id = r.id AND p.user_id = ${by.user_id}`
        }),
        removeMissing: Effect.fn("ProposalRepo.removeMissing")(function*(by, { from, to }) {
          const rows = yield* sql`
            UPDATE proposals SET removed = true, state = 'open', updated_at = now()
            WHERE user_id = ${by.user_id} AND feed_digest = ${by.feed_digest} AND start_time >= ${DateTime.toDateUtc(from)}
              AND start_time < ${DateTime.toDateUtc(to)} AND import_id IS DISTINCT FROM ${by.id}::uuid AND NOT removed
              AND (state = 'open' OR (state = 'accepted' AND entry_id IS NOT NULL))
            RETURNING id`
          return rows.length
        }),
        open: Effect.fn("ProposalRepo.open")((user, { from, to }, limit) =>
          Effect.flatMap(
            sql`SELECT ${columns} FROM proposals p
              WHERE p.user_id = ${user} AND p.state = 'open' AND p.start_time >= ${DateTime.toDateUtc(from)} AND p.start_time < ${DateTime.toDateUtc(to)}
              ORDER BY p.start_time, p.id LIMIT ${limit}::int`,
            Effect.forEach(fromRow)
          )
        ),
        lock: Effect.fn("ProposalRepo.lock")(function*(user, ids) {
          const those = sql`p.user_id = ${user} AND p.id IN (SELECT i::uuid FROM jsonb_array_elements_text(${JSON.stringify(ids)}::jsonb) AS i)`
          // In one order for everybody; read by a statement of its own, as entries are.
          yield* sql`SELECT 1 AS one FROM proposals p WHERE ${those} ORDER BY p.id FOR UPDATE`
          return yield* Effect.flatMap(sql`SELECT ${columns} FROM proposals p WHERE ${those}`, Effect.forEach(fromRow))
        }),
        decide: Effect.fn("ProposalRepo.decide")((user, decided) =>
          Effect.asVoid(sql`
            UPDATE proposals p SET state = r.state, entry_id = r.entry_id, updated_at = now()
            FROM jsonb_to_recordset(${JSON.stringify(decided)}::jsonb) AS r (id uuid, state text, entry_id uuid)
            WHERE p.id = r.id AND p.user_id = ${user}`)
        ),
        recorded: Effect.fn("ProposalRepo.recorded")((user, { from, to }, limit) =>
          Effect.flatMap(
            sql`SELECT e.id, e.title, e.start_time, e.end_time FROM log_entries e
              WHERE e.user_id = ${user} AND e.start_time < ${DateTime.toDateUtc(to)} AND e.start_time >= ${DateTime.toDateUtc(DateTime.subtract(from, { days: 366 }))}
                AND (e.end_time IS NULL OR e.end_time > ${DateTime.toDateUtc(from)})
              ORDER BY e.start_time, e.id LIMIT ${limit}::int`,
            (rows) => Effect.orDie(decodeRecorded(rows))
          )
        )
      })
    })
  )
}

const Sealed = Schema.fromJsonString(Content)
const decodeContent = Schema.decodeEffect(Sealed)
const encodeContent = Schema.encodeEffect(Sealed)
const decodeRow = Schema.decodeUnknownEffect(Row)
const decodeKnown = Schema.decodeUnknownEffect(Schema.Array(Schema.Struct({
  number: Schema.Int,
  id: ProposalId,
  state: ProposalState,
  entry_id: Schema.NullOr(EntryId),
  removed: Schema.Boolean,
  content_digest: Schema.String
})))
const decodeRecorded = Schema.decodeUnknownEffect(Schema.Array(Schema.Struct({
  id: EntryId,
  title: Schema.String,
  start_time: Schema.DateTimeUtcFromDate,
  end_time: Schema.NullOr(Schema.DateTimeUtcFromDate)
})))

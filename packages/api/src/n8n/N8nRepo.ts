/** Connections to n8n in PostgreSQL, their secrets sealed. Every method joins a transaction that is open. */
import { N8nConnectionId, OrganizationId, TaskId, type UserId } from "@englog/domain/Ids"
import { N8nConnection, N8nSecret, shown, SyncType } from "@englog/domain/n8n/N8nConnection"
import type { N8nConnectionPayload } from "@englog/rpc/http/N8nApi"
import { Context, Effect, Layer, Option, Schema } from "effect"
import { SqlClient } from "effect/sql"
import type { SqlError } from "effect/sql/SqlError"
import { EncryptedColumn } from "../crypto/EncryptedColumns.ts"
import { FieldCipher } from "../crypto/FieldCipher.ts"
import type { Cursor } from "../http/Cursor.ts"

/** As it is to be written, every secret given. */
export interface WrittenConnection extends Pick<N8nConnectionPayload, "name" | "base_url" | "sync_types" | "timeout"> {
  readonly id: N8nConnectionId
  readonly organization_id: OrganizationId
  readonly secret: N8nSecret
}

/** With its secret, for those who start its workflows. */
export interface StoredConnection extends Cursor {
  readonly connection: N8nConnection
  readonly secret: N8nSecret
}

export class N8nRepo extends Context.Service<N8nRepo, {
  readonly insert: (connection: WrittenConnection) => Effect.Effect<void, SqlError>
  /** False where it is gone. */
  readonly replace: (connection: WrittenConnection) => Effect.Effect<boolean, SqlError>
  readonly remove: (id: N8nConnectionId) => Effect.Effect<boolean, SqlError>
  readonly find: (id: N8nConnectionId) => Effect.Effect<Option.Option<StoredConnection>, SqlError>
  /** Newest first, at most `limit`. */
  readonly list: (organization: OrganizationId, after: Option.Option<Cursor>, limit: number) => Effect.Effect<ReadonlyArray<StoredConnection>, SqlError>
  readonly count: (organization: OrganizationId) => Effect.Effect<number, SqlError>
  /** To which connection each of the sync types leads by now, leaving out this one's. */
  readonly taken: (organization: OrganizationId, sync_types: ReadonlyArray<string>, except: N8nConnectionId) => Effect.Effect<ReadonlyArray<string>, SqlError>
  /** The connection that takes the sync type. */
  readonly ofSyncType: (organization: OrganizationId, sync_type: string) => Effect.Effect<Option.Option<N8nConnectionId>, SqlError>
  readonly noteSuccess: (id: N8nConnectionId, task: TaskId) => Effect.Effect<void, SqlError>
  readonly noteFailure: (id: N8nConnectionId, task: TaskId) => Effect.Effect<void, SqlError>
  readonly isAdministrator: (user: UserId, organization: OrganizationId) => Effect.Effect<boolean, SqlError>
}>()("@englog/api/n8n/N8nRepo") {
  static readonly layer: Layer.Layer<N8nRepo, never, SqlClient.SqlClient | FieldCipher> = Layer.effect(
    N8nRepo,
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      const cipher = yield* FieldCipher

      const fromRow = Effect.fnUntraced(function*(raw: unknown) {
        const { auth, micros, ...row } = yield* decodeRow(raw)
        const secret = yield* Effect.flatMap(cipher.decrypt(auth, EncryptedColumn.n8nAuth, row.id), decodeSecret)
        return { connection: new N8nConnection({ ...row, auth: shown(secret) }), secret, micros, id: row.id }
      }, Effect.orDie)

      const select = Effect.fnUntraced(function*(where: ReturnType<SqlClient.SqlClient["and"]>, more = sql``) {
        const rows = yield* sql`
          SELECT c.id, c.organization_id, c.name, c.base_url, c.auth, c.timeout_seconds AS timeout, c.last_success_at, c.last_failure_at, c.last_task_id, c.created_at,
            c.updated_at, (EXTRACT(EPOCH FROM c.created_at) * 1000000)::bigint::text AS micros, (
              SELECT coalesce(jsonb_agg(jsonb_build_object('sync_type', s.sync_type, 'path', s.path, 'mapping', s.mapping) ORDER BY s.position), '[]')::text
              FROM n8n_sync_types s WHERE s.connection_id = c.id
            ) AS sync_types
          FROM n8n_connections c WHERE ${where} ${more}`
        return yield* Effect.forEach(rows, fromRow)
      })

      const sealed = ({ id, secret }: WrittenConnection) =>
        Effect.flatMap(Effect.orDie(encodeSecret(secret)), (text) => cipher.encrypt(text, EncryptedColumn.n8nAuth, id))

      const writeTypes = ({ id, organization_id, sync_types }: WrittenConnection) => sql`
        INSERT INTO n8n_sync_types (organization_id, sync_type, connection_id, path, mapping, position)
        SELECT ${organization_id}::uuid, x.sync_type, ${id}::uuid, x.path, x.mapping, x.position
        FROM jsonb_to_recordset(${JSON.stringify(sync_types.map(toRow))}::jsonb) AS x (sync_type text, path text, mapping jsonb, position int)`

      return N8nRepo.of({
        insert: Effect.fn("N8nRepo.insert")((one) =>
          sql.withTransaction(Effect.gen(function*() {
            yield* sql`
              INSERT INTO n8n_connections (id, organization_id, name, base_url, auth, timeout_seconds)
              VALUES (${one.id}, ${one.organization_id}, ${one.name}, ${one.base_url}, ${yield* sealed(one)}, ${one.timeout}::int)`
            yield* writeTypes(one)
          }))
        ),
        replace: Effect.fn("N8nRepo.replace")((one) =>
          sql.withTransaction(Effect.gen(function*() {
            const rows = yield* sql`
              UPDATE n8n_connections SET name = ${one.name}, base_url = ${one.base_url}, auth = ${yield* sealed(one)}, timeout_seconds = ${one.timeout}::int,
                updated_at = now() WHERE id = ${one.id} RETURNING 1 AS one`
            if (rows.length === 0) return false
            yield* sql`DELETE FROM n8n_sync_types WHERE connection_id = ${one.id}`
            yield* writeTypes(one)
            return true
          }))
        ),
        remove: Effect.fn("N8nRepo.remove")(function*(id) {
          return (yield* sql`DELETE FROM n8n_connections WHERE id = ${id} RETURNING 1 AS one`).length > 0
        }),
        find: Effect.fn("N8nRepo.find")((id) => Effect.map(select(sql`c.id = ${id}`), ([found]) => Option.fromUndefinedOr(found))),
        list: Effect.fn("N8nRepo.list")((organization, after, limit) => {
          const place = Option.match(after, {
            onNone: () => sql`TRUE`,
            onSome: ({ id, micros }) =>
              sql`(c.created_at, c.id) < (timestamptz 'epoch' + ${micros}::text::bigint * interval '1 microsecond', ${id}::uuid)`
          })
          return select(sql.and([sql`c.organization_id = ${organization}`, place]), sql`ORDER BY c.created_at DESC, c.id DESC LIMIT ${limit}`)
        }),
        count: Effect.fn("N8nRepo.count")(function*(organization) {
          const rows = yield* sql`SELECT count(*)::int AS count FROM n8n_connections WHERE organization_id = ${organization}`
          return (yield* Effect.orDie(decodeCount(rows)))[0].count
        }),
        taken: Effect.fn("N8nRepo.taken")(function*(organization, sync_types, except) {
          const rows = yield* sql`
            SELECT s.sync_type FROM n8n_sync_types s WHERE s.organization_id = ${organization} AND s.connection_id <> ${except}
              AND s.sync_type IN (SELECT jsonb_array_elements_text(${JSON.stringify(sync_types)}::jsonb)) ORDER BY s.sync_type`
          return (yield* Effect.orDie(decodeTaken(rows))).map(({ sync_type }) => sync_type)
        }),
        ofSyncType: Effect.fn("N8nRepo.ofSyncType")(function*(organization, sync_type) {
          const rows = yield* sql`SELECT connection_id AS id FROM n8n_sync_types WHERE organization_id = ${organization} AND sync_type = ${sync_type}`
          return Option.map(Option.fromUndefinedOr((yield* Effect.orDie(decodeIds(rows)))[0]), ({ id }) => id)
        }),
        noteSuccess: Effect.fn("N8nRepo.noteSuccess")(function*(id, task) {
          yield* sql`UPDATE n8n_connections SET last_success_at = now(), last_task_id = ${task} WHERE id = ${id}`
        }),
        noteFailure: Effect.fn("N8nRepo.noteFailure")(function*(id, task) {
          yield* sql`UPDATE n8n_connections SET last_failure_at = now(), last_task_id = ${task} WHERE id = ${id}`
        }),
        isAdministrator: Effect.fn("N8nRepo.isAdministrator")(function*(user, organization) {
          const rows = yield* sql`
            SELECT 1 AS one FROM organization_members WHERE user_id = ${user} AND organization_id = ${organization} AND role IN ('owner', 'admin')`
          return rows.length > 0
        })
      })
    })
  )
}

const toRow = (type: SyncType, position: number) => ({ ...type, position })

const secretText = Schema.fromJsonString(N8nSecret)
const decodeSecret = Schema.decodeEffect(secretText)
const encodeSecret = Schema.encodeEffect(secretText)
const decodeCount = Schema.decodeUnknownEffect(Schema.Tuple([Schema.Struct({ count: Schema.Int })]))
const decodeTaken = Schema.decodeUnknownEffect(Schema.Array(Schema.Struct({ sync_type: Schema.String })))
const decodeIds = Schema.decodeUnknownEffect(Schema.Array(Schema.Struct({ id: N8nConnectionId })))
const decodeRow = Schema.decodeUnknownEffect(Schema.Struct({
  id: N8nConnectionId,
  organization_id: OrganizationId,
  name: Schema.String,
  base_url: Schema.String,
  auth: Schema.String,
  sync_types: Schema.fromJsonString(Schema.Array(SyncType)),
  timeout: Schema.Int,
  last_success_at: Schema.NullOr(Schema.DateTimeUtcFromDate),
  last_failure_at: Schema.NullOr(Schema.DateTimeUtcFromDate),
  last_task_id: Schema.NullOr(TaskId),
  created_at: Schema.DateTimeUtcFromDate,
  updated_at: Schema.DateTimeUtcFromDate,
  micros: Schema.String
}))

/** Rows with a value in every encrypted column, written straight into the tables under whatever ring the cipher has. */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { randomUUID } from "node:crypto"
import { EncryptedColumn, encryptedColumns } from "../../src/crypto/EncryptedColumns.ts"
import { FieldCipher } from "../../src/crypto/FieldCipher.ts"
import { newOwner } from "./QueueEngine.ts"

/** One row in each table; the tables' other columns have what they need. */
export const sealedRows = Effect.fnUntraced(function*(text: string) {
  const sql = yield* SqlClient.SqlClient
  const cipher = yield* FieldCipher
  const { organization_id, user_id } = yield* newOwner()
  const [entry, project, insight, event, schedule] = [randomUUID(), randomUUID(), randomUUID(), randomUUID(), randomUUID()]
  const [invitation, goal] = [randomUUID(), randomUUID()]
  const [session, token] = [randomUUID(), randomUUID()]
  const [ended, open] = [`ended_${randomUUID()}`, `open_${randomUUID()}`]
  const C = EncryptedColumn
  const seal = (column: EncryptedColumn, row: string) => cipher.encrypt(text, column, row)

  yield* sql`INSERT INTO projects (id, organization_id, name, description, created_by)
    VALUES (${project}, ${organization_id}, 'p', ${yield* seal(C.projectDescription, project)}, ${user_id})`
  yield* sql`INSERT INTO log_entries (id, user_id, title, description, type, start_time, end_time)
    VALUES (${entry}, ${user_id}, 't', ${yield* seal(C.entryDescription, entry)}, 'code', now(), now() + interval '1 hour')`
  yield* sql`INSERT INTO tasks (task_id, name, kind, queue, priority, organization_id, user_id, payload, private_input, traceparent,
      attempt_timeout_ms, retry, deadline, outcome, result, error, attempt, message, completed_at, event_seq)
    VALUES (${ended}, ${yield* seal(C.taskName, ended)}, 'TEST', 'default', 5, ${organization_id}, ${user_id}, '{}', ${yield* seal(C.taskPrivateInput, ended)}, '',
      1000, '{}', now(), 'completed', ${yield* seal(C.taskResult, ended)}, ${yield* seal(C.taskError, ended)}, 1,
      ${yield* seal(C.taskMessage, ended)}, now(), 2)`
  yield* sql`INSERT INTO tasks (task_id, kind, queue, priority, organization_id, user_id, payload, traceparent, attempt_timeout_ms,
      retry, deadline) VALUES (${open}, 'TEST', 'default', 5, ${organization_id}, ${user_id}, '{}', '', 1000, '{}', now())`
  yield* sql`INSERT INTO task_queue (id, kind, queue, rank, organization_id, deadline, max_attempts, message, cancel_reason)
    SELECT id, kind, queue, 10 - priority, organization_id, deadline, 1, ${yield* seal(C.queueMessage, open)},
      ${yield* seal(C.cancelReason, open)} FROM tasks WHERE task_id = ${open}`
  for (const seq of [1, 2]) {
    yield* sql`INSERT INTO task_events (task, seq, type, attempt, progress, message)
      SELECT id, ${seq}::int, 'progress', 1, 50, ${yield* seal(C.eventMessage, open)} FROM tasks WHERE task_id = ${open}`
  }
  yield* sql`INSERT INTO insights (id, task_id, user_id, organization_id, insight_type, period_start, period_end, content, tags,
      confidence, model, prompt_version, source, fallback_reason, facts, citations, removed, entry_count, question_digest, draft)
    VALUES (${insight}, ${ended}, ${user_id}, ${organization_id}, 't', now(), now(), ${yield* seal(C.insightContent, insight)},
      ${yield* seal(C.insightTags, insight)}, 1, 'm', '1', 'model', ${yield* seal(C.insightFallbackReason, insight)},
      ${yield* seal(C.insightFacts, insight)}, '[]', ${yield* seal(C.insightRemoved, insight)}, 0, sha256('question'),
      ${yield* seal(C.insightDraft, insight)})`
  yield* sql`INSERT INTO security_events (id, at, event, address, detail)
    VALUES (${event}, now(), 'login', ${yield* seal(C.securityEventAddress, event)}, '{}')`
  yield* sql`INSERT INTO schedules (id, organization_id, user_id, name, kind, payload, policy, cron, timezone, catch_up, catch_up_limit, next_run_at)
    VALUES (${schedule}, ${organization_id}, ${user_id}, ${yield* seal(C.scheduleName, schedule)}, 'TEST', '{}', '{}', '* * * * *', 'UTC', 'skip', 1, now())`
  yield* sql`UPDATE organizations SET description = ${yield* seal(C.organizationDescription, organization_id)} WHERE id = ${organization_id}`
  yield* sql`INSERT INTO team_invitations (id, organization_id, email, email_digest, role, token_hash, expires_at)
    VALUES (${invitation}, ${organization_id}, ${yield* seal(C.invitationEmail, invitation)}, sha256('address'), 'member', sha256(${invitation}::text::bytea), now())`
  yield* sql`INSERT INTO goals (id, user_id, title, description, measure, target, start_date, end_date, any_tag, any_project)
    VALUES (${goal}, ${user_id}, ${yield* seal(C.goalTitle, goal)}, ${yield* seal(C.goalDescription, goal)}, 'hours', 1, now(), now(), true, true)`
  const request = randomUUID()
  yield* sql`INSERT INTO idempotency_keys (id, user_id, key_digest, body_digest, response)
    VALUES (${request}, ${user_id}, sha256(${request}::text::bytea), sha256('body'), ${yield* seal(C.idempotentResponse, request)})`
  yield* sql`INSERT INTO refresh_token_families (id, user_id, expires_at, address, user_agent)
    VALUES (${session}, ${user_id}, now(), ${yield* seal(C.sessionAddress, session)}, ${yield* seal(C.sessionUserAgent, session)})`
  yield* sql`INSERT INTO api_tokens (id, user_id, name, token_hash, scopes, expires_at)
    VALUES (${token}, ${user_id}, ${yield* seal(C.apiTokenName, token)}, sha256(${token}::bytea), '{read}', now())`
  return { user_id, organization_id, entry, project, insight, ended, open }
})

/** So many entries of a new user with a sealed description each; answers the user's id. */
export const sealedEntries = Effect.fnUntraced(function*(count: number, textOf: (index: number) => string) {
  const sql = yield* SqlClient.SqlClient
  const cipher = yield* FieldCipher
  const { user_id } = yield* newOwner()
  const rows = yield* Effect.forEach(Array.from({ length: count }, (_, index) => index), (index) => {
    const id = randomUUID()
    return Effect.map(cipher.encrypt(textOf(index), EncryptedColumn.entryDescription, id), (description) => ({ id, description, title: `${index}` }))
  })
  yield* sql`
    INSERT INTO log_entries (id, user_id, title, description, type, start_time, end_time)
    SELECT n.id, ${user_id}::uuid, n.title, n.description, 'code', now(), now() + interval '1 hour'
    FROM jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) AS n (id uuid, title text, description text)`
  return user_id
})

/** Every encrypted value there is, opened by the cipher at hand: `table.column` and text. */
export const openAll = Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  const cipher = yield* FieldCipher
  const perColumn = yield* Effect.forEach(encryptedColumns, (column) =>
    sql<{ row: string; value: string }>`
      SELECT ${sql.literal(column.row)} AS row, v.${sql(column.column)} AS value FROM ${sql(column.table)} v
      WHERE v.${sql(column.column)} IS NOT NULL`.pipe(
        Effect.flatMap(Effect.forEach(({ row, value }) =>
          Effect.map(cipher.decrypt(value, column, row), (text) => ({ place: `${column.table}.${column.column}`, text, value }))))
      ))
  return perColumn.flat()
})

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
  const delivery = randomUUID()
  const [imported, proposal] = [randomUUID(), randomUUID()]
  const [session, token] = [randomUUID(), randomUUID()]
  const [ended, open] = [`ended_${randomUUID()}`, `open_${randomUUID()}`]
  const C = EncryptedColumn
  const seal = (column: EncryptedColumn, row: string) => cipher.encrypt(text, column, row)

  yield* sql`INSERT INTO projects (id, organization_id, name, description, created_by)
    VALUES (${project}, ${organization_id}, 'p', ${yield* seal(C.projectDescription, project)}, ${user_id})`
  yield* sql`INSERT INTO log_entries (id, user_id, title, description, type, start_time, end_time, source, source_id)
    VALUES (${entry}, ${user_id}, 't', ${yield* seal(C.entryDescription, entry)}, 'code', now(), now() + interval '1 hour', 'calendar',
      ${yield* seal(C.entrySourceId, entry)})`
  yield* sql`INSERT INTO imports (id, user_id, source, task_id, problems)
    VALUES (${imported}, ${user_id}, 'calendar_file', 't', ${yield* seal(C.importProblems, imported)})`
  yield* sql`INSERT INTO proposals (id, user_id, source, item_digest, content_digest, content, start_time, end_time, all_day, removed, state)
    VALUES (${proposal}, ${user_id}, 'calendar', sha256('item'), sha256('content'), ${yield* seal(C.proposalContent, proposal)}, now(),
      now() + interval '1 hour', false, false, 'open')`
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
      confidence, model, prompt_version, source, fallback_reason, facts, citations, removed, entry_count, question_digest, draft, basis)
    VALUES (${insight}, ${ended}, ${user_id}, ${organization_id}, 't', now(), now(), ${yield* seal(C.insightContent, insight)},
      ${yield* seal(C.insightTags, insight)}, 1, 'm', '1', 'model', ${yield* seal(C.insightFallbackReason, insight)},
      ${yield* seal(C.insightFacts, insight)}, '[]', ${yield* seal(C.insightRemoved, insight)}, 0, sha256('question'),
      ${yield* seal(C.insightDraft, insight)}, ${yield* seal(C.insightBasis, insight)})`
  const suggestion = randomUUID()
  yield* sql`INSERT INTO entry_suggestions (id, user_id, entry_id, task_id, proposal, model)
    VALUES (${suggestion}, ${user_id}, ${entry}, ${ended}, ${yield* seal(C.suggestionProposal, suggestion)}, 'm')`
  yield* sql`INSERT INTO security_events (id, at, event, address, detail)
    VALUES (${event}, now(), 'login', ${yield* seal(C.securityEventAddress, event)}, '{}')`
  yield* sql`INSERT INTO schedules (id, organization_id, user_id, name, kind, payload, policy, cron, timezone, catch_up, catch_up_limit, next_run_at)
    VALUES (${schedule}, ${organization_id}, ${user_id}, ${yield* seal(C.scheduleName, schedule)}, 'TEST', '{}', '{}', '* * * * *', 'UTC', 'skip', 1, now())`
  yield* sql`UPDATE organizations SET description = ${yield* seal(C.organizationDescription, organization_id)} WHERE id = ${organization_id}`
  yield* sql`INSERT INTO team_invitations (id, organization_id, email, email_digest, role, token_hash, expires_at)
    VALUES (${invitation}, ${organization_id}, ${yield* seal(C.invitationEmail, invitation)}, sha256('address'), 'member', sha256(${invitation}::text::bytea), now())`
  yield* sql`INSERT INTO goals (id, user_id, title, description, measure, target, start_date, end_date, any_tag, any_project)
    VALUES (${goal}, ${user_id}, ${yield* seal(C.goalTitle, goal)}, ${yield* seal(C.goalDescription, goal)}, 'hours', 1, now(), now(), true, true)`
  yield* sql`INSERT INTO mail_deliveries (id, user_id, organization_id, template, status, address, address_digest, letter, response)
    VALUES (${delivery}, ${user_id}, ${organization_id}, 'welcome', 'failed', ${yield* seal(C.mailAddress, delivery)}, sha256('address'),
      ${yield* seal(C.mailLetter, delivery)}, ${yield* seal(C.mailResponse, delivery)})`
  const notification = randomUUID()
  yield* sql`INSERT INTO notifications (id, user_id, seq, category, notice, task_id)
    VALUES (${notification}, ${user_id}, 1, 'alert', ${yield* seal(C.notice, notification)}, ${ended})`
  const connection = randomUUID()
  yield* sql`INSERT INTO n8n_connections (id, organization_id, name, base_url, auth, timeout_seconds)
    VALUES (${connection}, ${organization_id}, 'n', 'https://n8n.example.com', ${yield* seal(C.n8nAuth, connection)}, 30)`
  const [document, chunk] = [randomUUID(), randomUUID()]
  yield* sql`INSERT INTO knowledge_keys (organization_id, secret) VALUES (${organization_id}, ${yield* seal(C.knowledgeSecret, organization_id)})`
  yield* sql`INSERT INTO documents (key, organization_id, document_id, title, format, source, encoded, chunk_size, overlap)
    VALUES (${document}, ${organization_id}, 'd', ${yield* seal(C.documentTitle, document)}, 'text', ${yield* seal(C.documentSource, document)}, false, 1000, 0)`
  yield* sql`INSERT INTO document_chunks (id, document, organization_id, heading_path, content, word_digests, word_count, model, embedding)
    VALUES (${chunk}, ${document}, ${organization_id}, ${yield* seal(C.chunkHeadings, chunk)}, ${yield* seal(C.chunkContent, chunk)}, '{}', 0, 'm', '{1}')`
  yield* sql`INSERT INTO email_changes (user_id, email, token_hash, expires_at)
    VALUES (${user_id}, ${yield* seal(C.changedEmail, user_id)}, sha256('token'), now())`
  const upload = randomUUID()
  yield* sql`INSERT INTO document_uploads (id, organization_id, document, format, parts, completed_at) VALUES (${upload}, ${organization_id}, ${document}, 'text', 1, now())`
  yield* sql`INSERT INTO document_upload_parts (upload, place, content) VALUES (${upload}, 0, ${yield* seal(C.uploadPart, `${upload}/0`)})`
  const request = randomUUID()
  yield* sql`INSERT INTO idempotency_keys (id, user_id, key_digest, body_digest, response)
    VALUES (${request}, ${user_id}, sha256(${request}::text::bytea), sha256('body'), ${yield* seal(C.idempotentResponse, request)})`
  yield* sql`INSERT INTO refresh_token_families (id, user_id, expires_at, address, user_agent)
    VALUES (${session}, ${user_id}, now(), ${yield* seal(C.sessionAddress, session)}, ${yield* seal(C.sessionUserAgent, session)})`
  yield* sql`INSERT INTO api_tokens (id, user_id, name, token_hash, scopes, expires_at)
    VALUES (${token}, ${user_id}, ${yield* seal(C.apiTokenName, token)}, sha256(${token}::bytea), '{read}', now())`
  const feed = randomUUID()
  yield* sql`INSERT INTO calendar_feeds (id, user_id, name, disclosure, filter, secret_hash)
    VALUES (${feed}, ${user_id}, ${yield* seal(C.feedName, feed)}, 'busy', ${yield* seal(C.feedFilter, feed)}, sha256(${feed}::bytea))`
  const [endpoint, secret, toEndpoint, toUrl, attempt] = [randomUUID(), randomUUID(), randomUUID(), randomUUID(), randomUUID()]
  yield* sql`INSERT INTO webhook_endpoints (id, organization_id, user_id, url, description, headers, max_retries)
    VALUES (${endpoint}, ${organization_id}, ${user_id}, ${yield* seal(C.webhookUrl, endpoint)}, ${yield* seal(C.webhookDescription, endpoint)},
      ${yield* seal(C.webhookHeaders, endpoint)}, 3)`
  yield* sql`INSERT INTO webhook_secrets (id, organization_id, endpoint_id, secret)
    VALUES (${secret}, ${organization_id}, ${endpoint}, ${yield* seal(C.webhookSecret, secret)})`
  yield* sql`INSERT INTO webhook_deliveries (id, organization_id, user_id, endpoint_id, body, signed, task_id)
    VALUES (${toEndpoint}, ${organization_id}, ${user_id}, ${endpoint}, ${yield* seal(C.deliveryBody, toEndpoint)}, true, ${open})`
  yield* sql`INSERT INTO webhook_deliveries (id, organization_id, user_id, target, body, signed, task_id)
    VALUES (${toUrl}, ${organization_id}, ${user_id}, ${yield* seal(C.deliveryTarget, toUrl)}, ${yield* seal(C.deliveryBody, toUrl)}, false, ${open})`
  yield* sql`INSERT INTO webhook_attempts (id, delivery_id, task_id, attempt, duration_ms, record)
    VALUES (${attempt}, ${toUrl}, ${open}, 1, 5, ${yield* seal(C.deliveryRecord, attempt)})`
  const pdf = randomUUID()
  yield* sql`INSERT INTO pdf_exports (id, user_id, task_id, title, period_start, period_end, with_insight, document, pages, expires_at)
    VALUES (${pdf}, ${user_id}, ${ended}, ${yield* seal(C.pdfTitle, pdf)}, now(), now(), true, ${yield* seal(C.pdfDocument, pdf)}, 1, now())`
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

/** A database of the version before values were bound to their rows, brought up to this one with everything in it. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Logger, Redacted } from "effect"
import { SqlClient } from "effect/sql"
import { randomUUID } from "node:crypto"
import { FieldCipher } from "../../src/crypto/FieldCipher.ts"
import { KeyRotation } from "../../src/crypto/KeyRotation.ts"
import { Migrations } from "../../src/db/Migrations.ts"
import { newOwner } from "../support/QueueEngine.ts"
import { openAll } from "../support/SealedRows.ts"
import { TestDatabase } from "../support/TestDatabase.ts"
import { v1Value } from "../support/V1Value.ts"

const key = Buffer.alloc(32, 1)
const server = KeyRotation.layer.pipe(Layer.provideMerge(FieldCipher.layer(Redacted.make(`k1:${key.toString("base64")}`))))

const historyBefore = Object.fromEntries(Object.entries(Migrations.history).filter(([name]) => name < "0006"))

/** Rows as that version wrote them. */
const earlierRows = Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  const { organization_id, user_id } = yield* newOwner()
  const [entry, project, insight] = [randomUUID(), randomUUID(), randomUUID()]
  const sealed = (text: string, context: string) => v1Value(key, "k1", text, context)
  const ofTask = (text: string) => sealed(text, "tasks.text")
  yield* sql`INSERT INTO projects (id, organization_id, name, description, created_by)
    VALUES (${project}, ${organization_id}, 'p', 'v2:k1:looks sealed and is not', ${user_id})`
  yield* sql`INSERT INTO log_entries (id, user_id, title, description, type, start_time, end_time)
    VALUES (${entry}, ${user_id}, 't', ${sealed("a description", `log_entries.description/${entry}`)}, 'code', now(), now() + interval '1 hour')`
  yield* sql`INSERT INTO tasks (task_id, kind, queue, priority, organization_id, user_id, payload, private_input, traceparent,
      attempt_timeout_ms, retry, deadline, outcome, result, attempt, completed_at)
    VALUES ('ended', 'TEST', 'default', 5, ${organization_id}, ${user_id}, '{}', ${ofTask("an input")}, '', 1000, '{}', now(),
      'completed', ${ofTask("a result")}, 1, now())`
  yield* sql`INSERT INTO tasks (task_id, kind, queue, priority, organization_id, user_id, payload, traceparent, attempt_timeout_ms,
      retry, deadline) VALUES ('open', 'TEST', 'default', 5, ${organization_id}, ${user_id}, '{}', '', 1000, '{}', now())`
  yield* sql`INSERT INTO task_queue (id, kind, queue, priority, organization_id, state, deadline, attempt, max_attempts, session_id,
      started_at, attempt_deadline, message, cancel_requested_at, cancel_reason)
    SELECT id, kind, queue, priority, organization_id, 'running', deadline, 1, 1, ${randomUUID()}::uuid, now(), now(),
      ${ofTask("a message")}, now(), 'enough' FROM tasks WHERE task_id = 'open'`
  yield* sql`INSERT INTO task_events (task, seq, type, attempt, progress, message)
    SELECT id, 1, 'progress', 1, 50, ${ofTask("an event")} FROM tasks WHERE task_id = 'open'`
  const part = (name: string) => sealed(name, `insights.${name}/${insight}`)
  yield* sql`INSERT INTO insights (id, task_id, user_id, organization_id, insight_type, period_start, period_end, content, tags,
      confidence, model, prompt_version, source, fallback_reason, facts, citations, removed, entry_count, question_digest, draft)
    VALUES (${insight}, 'ended', ${user_id}, ${organization_id}, 't', now(), now(), ${part("content")}, '{one,two}', 1, 'm', '1',
      'model', 'because', ${part("facts")}, '[]', ${part("removed")}, 0, sha256('question'), ${part("draft")})`
})

const everything = [
  "insights.content content", "insights.draft draft", "insights.facts facts", "insights.fallback_reason because",
  "insights.removed removed", "insights.tags [\"one\",\"two\"]", "log_entries.description a description",
  "projects.description v2:k1:looks sealed and is not", "task_events.message an event", "task_queue.cancel_reason enough",
  "task_queue.message a message", "tasks.private_input an input", "tasks.result a result"
]

describe("a database of an earlier version", () => {
  it.live("has everything readable at once, nothing plain any more, and everything bound to its row after a rotation", () =>
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      yield* Migrations.run(historyBefore)
      yield* earlierRows
      yield* Migrations.run(Migrations.history)
      const { rotate, sealPlain } = yield* KeyRotation
      assert.strictEqual(yield* sealPlain, 4)
      const texts = Effect.map(openAll, (values) => values.map(({ place, text }) => `${place} ${text}`))
      assert.sameMembers(yield* texts, everything)
      assert.strictEqual(yield* rotate(() => Effect.void), 9)
      assert.sameMembers(yield* texts, everything)
      assert.isTrue((yield* openAll).every(({ value }) => value.startsWith("v2:k1:")))
      assert.lengthOf(yield* sql`SELECT 1 AS one FROM insights WHERE question_digest = sha256('question')`, 0, "no guess is confirmed")
    }).pipe(Effect.provide(server.pipe(Layer.provideMerge(TestDatabase.empty), Layer.provideMerge(Logger.layer([]))))))
})

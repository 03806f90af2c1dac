import { assert, layer } from "@effect/vitest"
import { EngLogClient } from "@englog/rpc/client/EngLogClient"
import { Effect, Redacted } from "effect"
import { HttpServer } from "effect/http"
import { SqlClient } from "effect/sql"
import { randomUUID } from "node:crypto"
import { nightlyJobs } from "../../src/jobs/NightlyJobs.ts"
import { password } from "../http/TestApi.ts"
import { author } from "../support/Narration.ts"
import { somebody } from "../support/Person.ts"
import { eventually, wholeApi } from "../support/WholeApi.ts"

const administrator = Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  const root = yield* somebody()
  yield* sql`UPDATE users SET is_admin = true WHERE id = ${root.id}`
  const job = (name: string) =>
    Effect.map(root.get("/v1/admin/jobs"), (answer) => {
      const index = nightlyJobs.findIndex((job) => job.name === name)
      return { status: answer.status, of: (field: string) => answer.at("items", index, field) }
    })
  yield* eventually(job("session-cleanup"), ({ status }) => status === 200)
  return {
    ...root,
    job,
    /** Runs a job and waits for its end; answers how many it removed. */
    run: Effect.fnUntraced(function*(name: string) {
      const begun = yield* root.post(`/v1/admin/jobs/${name}/run`)
      assert.deepStrictEqual([begun.status, begun.at("name"), begun.at("started_by")], [202, name, "admin"])
      const ended = yield* eventually(job(name), ({ of }) => of("state") !== "running")
      assert.strictEqual(ended.of("state"), "completed")
      return ended.of("removed")
    })
  }
})

layer(wholeApi(), { excludeTestServices: true, timeout: "60 seconds" })("nightly jobs", (it) => {
  it.effect("are seen and started by administrators only", () => Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const ada = yield* somebody()
    assert.strictEqual((yield* ada.get("/v1/admin/jobs")).status, 403)
    assert.strictEqual((yield* ada.post("/v1/admin/jobs/session-cleanup/run")).status, 403)
    const root = yield* administrator
    const list = yield* root.get("/v1/admin/jobs")
    assert.deepInclude(list.at("items", 0), { name: "token-denylist-cleanup", runs_at: "03:05 UTC", state: "never_run", started_at: null, removed: null })
    const unknown = yield* root.post("/v1/admin/jobs/no-such-job/run")
    assert.deepStrictEqual([unknown.status, unknown.error], [404, "name: there is no job no-such-job"])
    assert.strictEqual((yield* root.post(`/v1/admin/jobs/${"x".repeat(201)}/run`)).status, 400)
    yield* root.run("session-cleanup")
    yield* eventually(sql`SELECT id FROM security_events WHERE user_id = ${root.id} AND event = 'job_started'`, (rows) => rows.length === 1)
  }))

  it.effect("are seen and started over RPC", () => Effect.gen(function*() {
    const root = yield* administrator
    const { address } = yield* HttpServer.HttpServer
    const url = `http://127.0.0.1:${"port" in address ? address.port : 0}`
    yield* Effect.gen(function*() {
      const calls = yield* EngLogClient
      assert.lengthOf((yield* calls.ListJobs()).items, nightlyJobs.length)
      assert.deepInclude(yield* calls.RunJob({ name: "api-token-cleanup" }), { state: "running", started_by: "admin" })
      assert.deepInclude(yield* Effect.flip(calls.RunJob({ name: "no-such-job" })), { reason: "not_found" })
    }).pipe(Effect.provide(EngLogClient.layer({ url, auth: Redacted.make(root.token) })))
  }))

  it.effect("run one at a time, and again after a server died with one", () => Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const root = yield* administrator
    yield* sql`INSERT INTO jobs (name, started_at, started_by, run) VALUES ('insight-cleanup', now(), 'schedule', ${randomUUID()}::uuid)`
    const busy = yield* root.post("/v1/admin/jobs/insight-cleanup/run")
    assert.deepStrictEqual([busy.status, busy.error], [409, "insight-cleanup is under way already"])
    assert.strictEqual((yield* root.job("insight-cleanup")).of("state"), "running")
    yield* sql`UPDATE jobs SET started_at = now() - interval '2 hours' WHERE name = 'insight-cleanup'`
    assert.strictEqual((yield* root.job("insight-cleanup")).of("state"), "failed")
    assert.strictEqual(yield* root.run("insight-cleanup"), 0)
  }))

  it.effect("tell that they failed", () => Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const root = yield* administrator
    yield* sql`CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'not today'; END $$`
    yield* sql`CREATE TRIGGER refuse BEFORE DELETE ON refresh_token_denylist FOR EACH STATEMENT EXECUTE FUNCTION refuse()`
    assert.strictEqual((yield* root.post("/v1/admin/jobs/token-denylist-cleanup/run")).status, 202)
    const ended = yield* eventually(root.job("token-denylist-cleanup"), ({ of }) => of("state") !== "running")
    assert.deepStrictEqual([ended.of("state"), ended.of("removed")], ["failed", null])
    yield* sql`DROP TRIGGER refuse ON refresh_token_denylist`
  }))

  it.effect("remove used refresh tokens after 30 days, and no sooner", () => Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const root = yield* administrator
    yield* sql`INSERT INTO refresh_token_denylist (jti, family_id, denylisted_at)
      SELECT 'old', id, now() - interval '31 days' FROM refresh_token_families WHERE user_id = ${root.id} LIMIT 1`
    yield* sql`INSERT INTO refresh_token_denylist (jti, family_id, denylisted_at)
      SELECT 'young', id, now() - interval '29 days' FROM refresh_token_families WHERE user_id = ${root.id} LIMIT 1`
    assert.strictEqual(yield* root.run("token-denylist-cleanup"), 1)
    assert.deepStrictEqual(yield* sql`SELECT jti FROM refresh_token_denylist WHERE jti IN ('old', 'young')`, [{ jti: "young" }])
  }))

  it.effect("remove sessions and API tokens that are over", () => Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const [root, ada] = [yield* administrator, yield* somebody()]
    yield* sql`UPDATE refresh_token_families SET expires_at = now() - interval '2 hours' WHERE user_id = ${ada.id}`
    assert.strictEqual(yield* root.run("session-cleanup"), 1)
    const bea = yield* somebody()
    yield* bea.post("/v1/users/tokens", { name: "old", scopes: ["read"] })
    yield* bea.post("/v1/users/tokens", { name: "expired lately", scopes: ["read"] })
    yield* sql`UPDATE api_tokens SET expires_at = now() - interval '1 day' WHERE user_id = ${bea.id}`
    yield* sql`UPDATE api_tokens SET expires_at = now() - interval '31 days' WHERE id = (SELECT min(id::text)::uuid FROM api_tokens WHERE user_id = ${bea.id})`
    assert.strictEqual(yield* root.run("api-token-cleanup"), 1)
  }))

  it.effect("remove insights after six months and tasks after 30 days, and no sooner", () => Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const [root, ada] = [yield* administrator, yield* author()]
    const insight = (age: string) => sql`
      INSERT INTO insights (id, task_id, user_id, organization_id, insight_type, period_start, period_end, content, tags, confidence, model,
        prompt_version, source, facts, citations, removed, entry_count, question_digest, draft, created_at)
      SELECT gen_random_uuid(), 'insight_' || ${age}, ${ada.id}::uuid, o.id, 'weekly', '2026-01-05', '2026-01-11', s.text, s.text, 1, 'builtin', '1', 'builtin',
        s.text, '[]', s.text, 0, '', s.text, now() - ${age}::text::interval
      FROM organizations o, (SELECT 'v2:k1:' || repeat('A', 40) AS text) s WHERE o.personal_of = ${ada.id}::uuid`
    yield* insight("7 months")
    yield* insight("5 months")
    assert.strictEqual(yield* root.run("insight-cleanup"), 1)
    assert.deepStrictEqual(yield* sql`SELECT task_id FROM insights WHERE user_id = ${ada.id}`, [{ task_id: "insight_5 months" }])

    const cancelled = yield* ada.requestInsight()
    yield* ada.post(`/v1/tasks/${String(cancelled.at("task_id"))}/cancel`)
    assert.strictEqual(yield* root.run("task-cleanup"), 0)
    yield* sql`UPDATE tasks SET completed_at = now() - interval '31 days' WHERE user_id = ${ada.id}`
    assert.strictEqual(yield* root.run("task-cleanup"), 1)
  }))

  it.effect("delete accounts once their time has come, unless it was undone", () => Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const [root, ada, bea, eve] = [yield* administrator, yield* somebody(), yield* somebody(), yield* somebody()]
    const tomorrow = new Date(Date.now() + 86_400_000).toISOString()
    for (const one of [ada, bea, eve]) {
      const planned = yield* one.put("/v1/users/deletion", { password, delete_after: tomorrow })
      assert.strictEqual(planned.at("delete_after"), tomorrow)
    }
    assert.strictEqual((yield* ada.get("/v1/users/deletion")).at("delete_after"), tomorrow)
    assert.strictEqual(yield* root.run("scheduled-deletions"), 0)
    assert.strictEqual((yield* bea.remove("/v1/users/deletion")).status, 204)
    assert.strictEqual((yield* bea.remove("/v1/users/deletion")).status, 404)
    assert.strictEqual((yield* bea.get("/v1/users/deletion")).error, "no deletion of this account is scheduled")
    yield* sql`UPDATE scheduled_deletions SET delete_after = now() WHERE user_id IN (${ada.id}, ${eve.id})`
    assert.strictEqual(yield* root.run("scheduled-deletions"), 2)
    assert.deepStrictEqual((yield* sql`SELECT id FROM users WHERE id IN (${ada.id}, ${bea.id}, ${eve.id})`).map((row) => row["id"]), [bea.id])
  }))

  it.effect("delete the other accounts where one cannot go", () => Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const [root, ada, bea] = [yield* administrator, yield* somebody(), yield* somebody()]
    yield* sql`INSERT INTO scheduled_deletions (user_id, delete_after) VALUES (${ada.id}, now() - interval '1 day'), (${bea.id}, now())`
    yield* sql`CREATE TABLE bindings (user_id uuid REFERENCES users (id))`
    yield* sql`INSERT INTO bindings VALUES (${ada.id})`
    assert.strictEqual(yield* root.run("scheduled-deletions"), 1)
    yield* sql`DROP TABLE bindings`
    assert.strictEqual(yield* root.run("scheduled-deletions"), 1)
  }))

  it.effect("plan no deletion in the past, beyond a year, or without the password", () => Effect.gen(function*() {
    const ada = yield* somebody()
    for (const delete_after of ["2001-01-01T00:00:00Z", "2199-01-01T00:00:00Z"]) {
      const answer = yield* ada.put("/v1/users/deletion", { password, delete_after })
      assert.deepStrictEqual([answer.status, answer.error], [400, "delete_after: must lie within a year from now"])
    }
    const delete_after = new Date(Date.now() + 86_400_000).toISOString()
    assert.strictEqual((yield* ada.put("/v1/users/deletion", { password: "guessed", delete_after })).status, 403)
    assert.strictEqual((yield* ada.get("/v1/users/deletion")).status, 404)
  }))
})

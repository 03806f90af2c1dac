import { assert, layer } from "@effect/vitest"
import { TaskId, type UserId } from "@englog/domain/Ids"
import { EngLogClient } from "@englog/rpc/client/EngLogClient"
import { Effect, Layer, Redacted, Schedule, Schema, Stream } from "effect"
import { HttpServer } from "effect/http"
import { SqlClient } from "effect/sql"
import { randomUUID } from "node:crypto"
import { notExported, personalTables } from "../../src/account/PersonalTables.ts"
import { encryptedColumns } from "../../src/crypto/EncryptedColumns.ts"
import { FieldCipher } from "../../src/crypto/FieldCipher.ts"
import { SecurityEventRepo } from "../../src/security/SecurityEventRepo.ts"
import { entry, password, register, TestApi } from "../http/TestApi.ts"
import { workerFor } from "../support/Background.ts"
import { refusal } from "../support/ContractWorker.ts"
import { narrator } from "../support/Narration.ts"
import { encryptionKeys, newKind } from "../support/QueueEngine.ts"
import { eventually, wholeApi } from "../support/WholeApi.ts"

/** Letters only: a figure in a narrator's text would have to resolve. */
const newMark = () => `zq${randomUUID().replaceAll("-", "").slice(0, 12).replace(/\d/g, (digit) => "ghijklmnop".charAt(Number(digit)))}`

/** Somebody whose every word is their own: the marks are searched for in all the database. */
const resident = Effect.gen(function*() {
  const { ask } = yield* TestApi
  const mark = newMark()
  const email = `${mark}@example.com`
  const { id, refresh, token } = yield* register(email, { first_name: `First${mark}`, last_name: `Last${mark}` })
  const post = (path: string, body: unknown) =>
    Effect.filterOrElse(ask("POST", path, { token, body }), ({ status }) => status < 300, ({ text }) => Effect.die(new Error(`${path}: ${text}`)))
  const project = yield* post("/v1/projects", { name: `Project${mark}`, description: `Secret${mark}` })
  const logged = yield* post("/v1/logs", {
    ...entry, title: `Title${mark}`, description: `Described${mark}`, tags: [`tag${mark}`, "backend"], project_id: project.at("id")
  })
  const organization = String((yield* ask("GET", "/v1/users/profile", { token })).at("organization_id"))
  return { mark, email, id, refresh, token, ask, post, organization, project: String(project.at("id")), entry: String(logged.at("id")) }
})

type Resident = Effect.Success<typeof resident>

type Narrator = Effect.Success<typeof narrator>

/** An insight, an open task, a schedule and an API token, each with words of theirs. */
const derived = Effect.fnUntraced(function*(who: Resident, worker: Narrator) {
  const answer = yield* who.post("/v1/tasks/insights", {
    user_id: who.id, entry_ids: [who.entry], insight_type: `type${who.mark}`, context: `Context${who.mark}`
  })
  const task = TaskId.make(String(answer.at("task_id")))
  yield* worker.take(task)
  yield* worker.progress(task, 50, `Progress${who.mark}`)
  yield* worker.write(task, { content: `Written about ${who.mark}. [[${who.entry}]]`, tags: [`insight${who.mark}`], confidence: 0.9 })
  yield* eventually(who.ask("GET", `/v1/tasks/${task}`, { token: who.token }), (view) => view.at("status") === "completed" || view.at("state") === "completed")
  const open = yield* who.post("/v1/tasks/insights", { user_id: who.id, entry_ids: [who.entry], insight_type: "daily", context: `Waiting${who.mark}` })
  const kind = newKind()
  yield* workerFor([kind])
  yield* who.post("/v1/schedules", { task_type: kind, name: `Schedule${who.mark}`, payload: { of: who.id }, cron: "0 3 * * *" })
  yield* who.post("/v1/users/tokens", { name: `Token${who.mark}`, scopes: ["read"] })
  yield* who.ask("PUT", "/v1/users/email", { token: who.token, body: { email: `new-${who.mark}@example.com`, password } })
  return { task, open: TaskId.make(String(open.at("task_id"))) }
})

/** Every text, array, JSON, bytea and uuid of every table in which one of the words stands, the encrypted ones decrypted. */
const traces = Effect.fnUntraced(function*(words: ReadonlyArray<string>) {
  const sql = yield* SqlClient.SqlClient
  const cipher = yield* FieldCipher
  const tables = yield* sql<{ schema: string; table: string; bytes: ReadonlyArray<string> }>`
    SELECT t.table_schema AS schema, t.table_name AS table,
      ARRAY(SELECT c.column_name::text FROM information_schema.columns c
        WHERE c.table_schema = t.table_schema AND c.table_name = t.table_name AND c.data_type = 'bytea') AS bytes
    FROM information_schema.tables t
    WHERE t.table_type = 'BASE TABLE' AND t.table_schema NOT IN ('pg_catalog', 'information_schema')`
  const found: Array<string> = []
  for (const { bytes, schema, table } of tables) {
    const decoded = bytes.map((column) => `, '${column}', encode(v."${column}", 'escape')`).join("").slice(2)
    const rows = yield* sql<{ column: string; word: string }>`
      SELECT DISTINCT c.key AS column, w.word
      FROM ${sql(schema)}.${sql(table)} v, jsonb_each_text(to_jsonb(v) || jsonb_build_object(${sql.literal(decoded)})) c,
        jsonb_array_elements_text(${JSON.stringify(words)}::jsonb) w (word)
      WHERE c.value ILIKE '%' || w.word || '%'`
    for (const { column, word } of rows) found.push(`${schema}.${table}.${column}: ${word}`)
  }
  for (const of of encryptedColumns) {
    const rows = yield* sql<{ value: string; row: string }>`
      SELECT v.${sql(of.column)} AS value, ${sql.literal(of.row)} AS row FROM ${sql(of.table)} v WHERE v.${sql(of.column)} IS NOT NULL`
    for (const { row, value } of rows) {
      // A value of another test that was written by hand does not decrypt, and is nobody's.
      const plain = yield* Effect.orElseSucceed(cipher.decrypt(value, of, row), () => "")
      for (const word of words) if (plain.toLowerCase().includes(word.toLowerCase())) found.push(`${of.table}.${of.column} (decrypted): ${word}`)
    }
  }
  return found
}, Effect.provide(FieldCipher.layer(encryptionKeys)))

const wordsOf = (who: Resident, ...more: ReadonlyArray<string>) => [who.mark, who.id, who.organization, who.entry, who.project, ...more]

/** What the job of every night does. */
const disownGone = SecurityEventRepo.use((repo) => repo.disownGone).pipe(
  Effect.provide(Layer.provide(SecurityEventRepo.layer, FieldCipher.layer(encryptionKeys)))
)

/** A shared organization with these members, and a project of the first. */
const shared = Effect.fnUntraced(function*(members: ReadonlyArray<{ readonly id: UserId; readonly role: string }>) {
  const sql = yield* SqlClient.SqlClient
  const [organization, project] = [randomUUID(), randomUUID()]
  yield* sql`INSERT INTO organizations (id, name) VALUES (${organization}, 'Shared')`
  for (const [index, { id, role }] of members.entries()) {
    yield* sql`INSERT INTO organization_members (organization_id, user_id, role, joined_at)
      VALUES (${organization}, ${id}, ${role}, now() + ${index}::int * interval '1 second')`
  }
  yield* sql`INSERT INTO projects (id, organization_id, name, created_by) VALUES (${project}, ${organization}, 'Shared project', ${members[0]?.id ?? null})`
  return { organization, project, owner: Effect.map(sql`SELECT created_by FROM projects WHERE id = ${project}`, (rows) => rows[0] === undefined ? "gone" : rows[0]["created_by"]) }
})

const Document = Schema.fromJsonString(Schema.Record(Schema.String, Schema.Json))

layer(wholeApi(), { excludeTestServices: true, timeout: "120 seconds" })("whoever leaves", (it) => {
  it.effect("leaves no trace in any column of any table, sealed ones included", () => Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const [ada, bea] = [yield* resident, yield* resident]
    const worker = yield* narrator
    const { open, task } = yield* derived(ada, worker)
    yield* worker.take(open)
    const events = yield* eventually(sql`SELECT id FROM security_events WHERE user_id = ${ada.id}`, (rows) => rows.length >= 2)
    yield* sql`UPDATE security_events SET detail = ${JSON.stringify({ organization_id: ada.organization, task_id: task })}::text::jsonb WHERE id = ${String(events[0]?.["id"])}`
    const words = wordsOf(ada, task, open)
    const before = yield* traces(words)
    // The search finds what there is: else it would prove nothing.
    for (const place of [
      "public.users.email", "public.organizations.name", "public.log_entries.title", "log_entries.description (decrypted)", "public.tags.name", "public.projects.name",
      "projects.description (decrypted)", "public.tasks.payload", "tasks.private_input (decrypted)", "insights.content (decrypted)", "insights.facts (decrypted)",
      "tasks.result (decrypted)", "tasks.message (decrypted)", "task_events.message (decrypted)", "schedules.name (decrypted)", "public.schedules.payload", "public.insights.insight_type", "api_tokens.name (decrypted)", "email_changes.email (decrypted)", "public.security_events.user_id", "public.security_events.detail"
    ]) assert.isTrue(before.some((trace) => trace.startsWith(place)), `${place} in ${before.join("\n")}`)

    assert.strictEqual((yield* ada.ask("POST", "/v1/users/delete", { token: ada.token, body: { password: "guessed" } })).status, 403)
    assert.strictEqual((yield* ada.ask("POST", "/v1/users/delete", { token: ada.token, body: { password } })).status, 204)
    yield* eventually(sql`SELECT id FROM security_events WHERE event = 'account_deleted'`, (rows) => rows.length > 0)
    // Its worker does not know yet, and reports.
    yield* refusal(worker.write(open, { content: `Late words of ${ada.mark}.`, tags: [], confidence: 1 }))
    // Events that were on their way when the account went.
    yield* disownGone
    assert.deepStrictEqual(yield* traces(words), [])
    assert.isAbove((yield* traces(wordsOf(bea))).length, 5)
  }), 60_000)

  it.effect("is turned away at once, and their address is free again", () => Effect.gen(function*() {
    const ada = yield* resident
    yield* ada.ask("POST", "/v1/users/delete", { token: ada.token, body: { password } })
    const after = yield* ada.ask("GET", "/v1/logs", { token: ada.token }).pipe(
      Effect.repeat({ while: ({ status }) => status === 200, schedule: Schedule.spaced("100 millis"), times: 60 })
    )
    assert.strictEqual(after.status, 401)
    assert.strictEqual((yield* ada.ask("POST", "/v1/auth/refresh", { body: { refresh_token: ada.refresh } })).status, 401)
    assert.strictEqual((yield* ada.ask("POST", "/v1/auth/login", { body: { email: ada.email, password } })).status, 401)
    assert.notStrictEqual((yield* register(ada.email)).id, ada.id)
  }))

  it.effect("keeps a name in the audit log that is nobody's, the same in all its events, with their addresses", () => Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const ada = yield* resident
    const [event] = yield* eventually(sql`SELECT id FROM security_events WHERE user_id = ${ada.id} AND event = 'registered'`, (rows) => rows.length === 1)
    yield* ada.ask("POST", "/v1/users/delete", { token: ada.token, body: { password } })
    const [kept] = yield* sql`SELECT user_id, address FROM security_events WHERE id = ${String(event?.["id"])}`
    assert.match(String(kept?.["user_id"]), /^.{14}8/)
    assert.isNotNull(kept?.["address"])
    yield* eventually(sql`SELECT id FROM security_events WHERE user_id = ${String(kept?.["user_id"])} AND event = 'account_deleted'`, (rows) => rows.length === 1)
  }))

  it.effect("passes shared projects to an owner, else an administrator who has been there longest, else to the member who becomes one", () => Effect.gen(function*() {
    const people = yield* Effect.all(Array.from({ length: 4 }, () => resident))
    const [ada, bea, cyd, dan] = people.map(({ id }) => id)
    if (ada === undefined || bea === undefined || cyd === undefined || dan === undefined) return assert.fail("nobody is there")
    const toOwner = yield* shared([{ id: ada, role: "owner" }, { id: bea, role: "admin" }, { id: cyd, role: "owner" }])
    const toAdmin = yield* shared([{ id: ada, role: "owner" }, { id: dan, role: "member" }, { id: cyd, role: "admin" }, { id: bea, role: "admin" }])
    const toHeir = yield* shared([{ id: ada, role: "owner" }, { id: bea, role: "member" }])
    const alone = yield* shared([{ id: ada, role: "owner" }])
    assert.strictEqual((yield* people[0]?.ask("POST", "/v1/users/delete", { token: people[0].token, body: { password } }) ?? assert.fail()).status, 204)
    assert.deepStrictEqual([yield* toOwner.owner, yield* toAdmin.owner, yield* toHeir.owner, yield* alone.owner], [cyd, cyd, bea, "gone"])
  }))

  it.effect("takes along what others wait for: their tasks are cancelled and say why", () => Effect.gen(function*() {
    const [ada, bea] = [yield* resident, yield* resident]
    const { organization } = yield* shared([{ id: ada.id, role: "admin" }, { id: bea.id, role: "owner" }])
    const kind = newKind()
    yield* workerFor([kind])
    const first = yield* ada.post("/api/background/tasks", { task_type: kind, organization_id: organization, payload: {}, delay: 3600 })
    const second = yield* bea.post("/api/background/tasks", { task_type: kind, organization_id: organization, payload: {}, after: [first.at("task_id")] })
    const third = yield* bea.post("/api/background/tasks", { task_type: kind, organization_id: organization, payload: {}, after: [second.at("task_id")] })
    assert.strictEqual((yield* ada.ask("POST", "/v1/users/delete", { token: ada.token, body: { password } })).status, 204)
    const views = yield* Effect.forEach([second, third], (answer) => bea.ask("GET", `/api/background/tasks/${answer.at("task_id")}`, { token: bea.token }))
    assert.deepStrictEqual(views.map((view) => [view.at("state"), view.at("error")]), [
      ["cancelled", "a task that it waited for went with the account of its owner"],
      ["cancelled", `${second.at("task_id")}, which it waited for, did not complete`]
    ])
  }))

  it.effect("may leave figures: times, types and ratings without a word of theirs, under an account that is nobody's", () => Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const [ada, bea] = [yield* resident, yield* resident]
    const { open, task } = yield* derived(ada, yield* narrator)
    const team = yield* shared([{ id: bea.id, role: "owner" }, { id: ada.id, role: "member" }])
    yield* ada.post("/v1/logs", { ...entry, title: `Team${ada.mark}`, type: "review", impact_level: "team" })
    yield* sql`UPDATE log_entries SET project_id = ${team.project} WHERE user_id = ${ada.id} AND type = 'review'`
    const started = yield* sql`SELECT now() AS now`
    assert.strictEqual((yield* ada.ask("POST", "/v1/users/anonymize", { token: ada.token, body: { password } })).status, 204)
    yield* eventually(sql`SELECT id FROM security_events WHERE event = 'account_anonymized'`, (rows) => rows.length > 0)
    yield* disownGone
    assert.deepStrictEqual(yield* traces(wordsOf(ada, task, open)), [])
    const left = yield* sql`
      SELECT e.title, e.description, e.type::text AS type, e.duration_minutes, e.impact_level::text AS impact, p.name AS project, u.first_name, u.email,
        ARRAY(SELECT t.name FROM log_entry_tags et JOIN tags t ON t.id = et.tag_id WHERE et.log_entry_id = e.id) AS tags
      FROM log_entries e JOIN users u ON u.id = e.user_id LEFT JOIN projects p ON p.id = e.project_id
      WHERE u.created_at >= ${started[0]?.["now"]} AND u.email LIKE 'anon\\_%' ORDER BY e.type::text`
    assert.lengthOf(left, 2)
    assert.deepInclude(left[0], { title: "Anonymized", description: null, type: "code", duration_minutes: 90, project: "Project 1", first_name: "Anonymous", tags: ["backend"] })
    assert.deepInclude(left[1], { title: "Anonymized", type: "review", impact: "team", project: "Shared project", tags: [] })
    const guess = yield* ada.ask("POST", "/v1/auth/login", { body: { email: left[0]?.["email"], password } })
    assert.strictEqual(guess.status, 401)
  }), 60_000)

  it.effect("takes a copy first: everything of theirs, readable, without secrets and without anything of others", () => Effect.gen(function*() {
    const [ada, bea] = [yield* resident, yield* resident]
    const worker = yield* narrator
    const { open, task } = yield* derived(ada, worker)
    yield* derived(bea, worker)
    const answer = yield* ada.ask("GET", "/v1/users/export", { token: ada.token })
    assert.strictEqual(answer.status, 200)
    assert.match(answer.headers["content-type"] ?? "", /^application\/json/)
    assert.match(answer.headers["content-disposition"] ?? "", /attachment/)
    assert.hasAllKeys(answer.body, ["version", "exported_at", ...personalTables.map(({ section }) => section)])
    assert.deepInclude(answer.at("user_profile", 0), { id: ada.id, email: ada.email })
    assert.deepInclude(answer.at("log_entries", 0), { title: `Title${ada.mark}`, description: `Described${ada.mark}`, tags: [`tag${ada.mark}`, "backend"] })
    assert.deepInclude(answer.at("projects", 0), { description: `Secret${ada.mark}` })
    assert.deepStrictEqual(answer.at("insights", 0, "tags"), [`insight${ada.mark}`])
    assert.deepInclude(answer.at("tasks", 0), { task_id: task, outcome: "completed" })
    assert.deepInclude(answer.at("open_tasks", 0), { task_id: open })
    assert.deepInclude(answer.at("api_tokens", 0), { name: `Token${ada.mark}` })
    assert.deepInclude(answer.at("organizations", 0), { role: "owner" })
    assert.include(answer.text, `Context${ada.mark}`)
    for (const secret of ["$argon2", "password_hash", "token_hash", "question_digest", "v2:k1:", bea.mark, bea.id]) assert.notInclude(answer.text, secret)
  }), 60_000)

  it.effect("gets the same copy over RPC, record by record", () => Effect.gen(function*() {
    const ada = yield* resident
    const { address } = yield* HttpServer.HttpServer
    const url = `http://127.0.0.1:${"port" in address ? address.port : 0}`
    const records = yield* Effect.gen(function*() {
      return yield* Stream.runCollect((yield* EngLogClient).ExportAccount())
    }).pipe(Effect.provide(EngLogClient.layer({ url, auth: Redacted.make(ada.token) })))
    const { exported_at: _, security_events: __, version: ___, ...rest } = yield* Schema.decodeEffect(Document)((yield* ada.ask("GET", "/v1/users/export", { token: ada.token })).text)
    for (const [section, expected] of Object.entries(rest)) {
      assert.deepStrictEqual(records.filter((record) => record.section === section).map(({ record }) => record), expected)
    }
  }))

  it.effect("gets a copy of more than one page of entries, each once", () => Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const ada = yield* resident
    yield* sql`
      INSERT INTO log_entries (id, user_id, title, type, start_time, end_time)
      SELECT gen_random_uuid(), ${ada.id}::uuid, 'Entry ' || n, 'code', now(), now() + interval '1 hour' FROM generate_series(1, 999) AS n`
    const entries = (yield* ada.ask("GET", "/v1/users/export", { token: ada.token })).at("log_entries")
    assert.lengthOf(Array.isArray(entries) ? new Set(entries.map((entry: unknown) => JSON.stringify(entry))) : [], 1_000)
  }))

  it.effect("finds every table in the copy, or a reason why not", () => Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const tables = yield* sql<{ name: string }>`SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'public' AND table_type = 'BASE TABLE'`
    assert.sameMembers([...new Set(personalTables.map(({ table }) => table)), ...Object.keys(notExported)], tables.map(({ name }) => name))
  }))
})

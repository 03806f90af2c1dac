import { assert, layer } from "@effect/vitest"
import { goalSlug } from "@englog/domain/facts/GoalFacts"
import { DocumentKey, GoalId } from "@englog/domain/Ids"
import { EngLogClient } from "@englog/rpc/client/EngLogClient"
import type { HeldTask } from "@englog/rpc/grpc/WorkerMessages"
import { leftOutSections, MAX_DOCUMENT_BYTES, restoredSections } from "@englog/rpc/http/AccountDocument"
import { Effect, Layer, Option, Redacted, Schema, Stream, Struct } from "effect"
import { HttpServer } from "effect/http"
import { SqlClient } from "effect/sql"
import { EncryptedColumn } from "../../src/crypto/EncryptedColumns.ts"
import { FieldCipher } from "../../src/crypto/FieldCipher.ts"
import { UploadRepo } from "../../src/documents/UploadRepo.ts"
import { personalTables } from "../../src/account/PersonalTables.ts"
import { type Answer, encryptionKeys, TestApi } from "../http/TestApi.ts"
import { workerFor } from "../support/Background.ts"
import { item, proposals, request } from "../support/Imports.ts"
import { joins, member } from "../support/Members.ts"
import { author, generated, narrated } from "../support/Narration.ts"
import { somebody } from "../support/Person.ts"
import { dial, exchange } from "../support/RawHttp.ts"
import { eventually, wholeApi } from "../support/WholeApi.ts"

const Row = Schema.Record(Schema.String, Schema.Json)
type Row = typeof Row.Type
const Sections = Schema.fromJsonString(Schema.Record(Schema.String, Schema.Union([Schema.Array(Row), Schema.String, Schema.Int])))
const decodeSections = Schema.decodeEffect(Sections)
const decodeRows = Schema.decodeSync(Schema.fromJsonString(Schema.Array(Row)))

/** An export, section by section. */
const documentOf = Effect.fnUntraced(function*(text: string) {
  const sections = yield* Effect.orDie(decodeSections(text))
  return (name: string): ReadonlyArray<Row> => {
    const rows = sections[name]
    return Array.isArray(rows) ? rows : []
  }
})

const exported = Effect.fnUntraced(function*(token: string) {
  const { ask } = yield* TestApi
  const answer = yield* ask("GET", "/v1/users/export", { token })
  assert.strictEqual(answer.status, 200)
  return answer.text
})

const importing = Effect.fnUntraced(function*(token: string, raw: string, headers: Record<string, string> = {}) {
  const { ask } = yield* TestApi
  return yield* ask("POST", "/v1/import/account", { token, raw, headers })
})

const DOCUMENTS = "/api/background/tasks/document-processing"
const UPLOADS = "/api/background/documents/uploads"

/** An import of two occurrences of a series, and an answer that names a row that could not be read. */
const found = [
  item({ occurrence: "2026-03-03T09:00:00.000Z" }), item({ occurrence: "2026-03-10T09:00:00.000Z", start_time: "2026-03-10T09:00:00.000Z", end_time: "2026-03-10T10:00:00.000Z" }),
  item({ external_id: "a name with spaces", title: "Retro", description: "What went well", tags: ["team"], project: "Billing", start_time: "2026-03-04T09:00:00.000Z" }),
  item({ external_id: "gone", title: "Dismissed", start_time: "2026-03-05T09:00:00.000Z", end_time: "2026-03-05T10:00:00.000Z" })
].map((one) => one["external_id"] === "a name with spaces" ? { ...one, end_time: "2026-03-04T10:00:00.000Z" } : one)

interface Importing {
  readonly get: (path: string) => Effect.Effect<Answer>
  readonly post: (path: string, body?: unknown) => Effect.Effect<Answer>
}

/** What an import of these comes to. */
const importedItems = Effect.fnUntraced(function*(who: Importing, items: ReadonlyArray<unknown>) {
  const worker = yield* workerFor(["IMPORT"])
  const accepted = yield* who.post("/v1/import/calendar", request)
  const task = yield* worker.next.pipe(Effect.repeat({ until: ({ task_id }) => task_id === accepted.at("task_id") }))
  const problems = [{ index: null, row: 7, field: "DTSTART", item: "broken", error: "is no time" }]
  yield* worker.complete(task, JSON.stringify({ items, problems, problem_count: 1, skipped: 0, resume: null }))
  return yield* who.get(`/v1/imports/${String(accepted.at("import_id"))}`)
}, Effect.scoped)

const inboxOf = (who: Importing) => Effect.map(who.get("/v1/inbox?from=2026-03-01&to=2026-03-31"), proposals)

/** Three imports' worth of decisions: one item accepted, one dismissed, two open. */
const withInbox = Effect.fnUntraced(function*(who: Importing) {
  assert.deepInclude((yield* importedItems(who, found)).body, { created: 4, outcome: "completed" })
  const idOf = Effect.fnUntraced(function*(title: string) {
    return (yield* inboxOf(who)).find((proposal) => proposal["title"] === title)?.["id"]
  })
  const decisions = [{ id: yield* idOf("Retro"), action: "accept" }, { id: yield* idOf("Dismissed"), action: "dismiss" }]
  assert.deepInclude((yield* who.post("/v1/inbox/decisions", { decisions })).body, { succeeded: 2 })
})

/** Text of one's own and of a team, and an upload of two parts that a document took; one more waits. */
const withDocuments = Effect.fnUntraced(function*(token: string, team: unknown) {
  const { ask } = yield* TestApi
  const upload = Effect.fnUntraced(function*() {
    const answer = yield* ask("POST", UPLOADS, { token, raw: LARGE, headers: { "content-type": "text/plain" } })
    return answer.at("upload_id")
  })
  for (const body of [
    { document_id: "handbook", title: "Das Handbuch", content: "# Dienst\n\nWho is on call answers.", chunk_size: 500, overlap: 50 },
    { document_id: "small.pdf", content_base64: Buffer.from("%PDF-1.7 …").toString("base64") },
    { document_id: "large", upload_id: yield* upload() },
    { document_id: "handbook", content: "The team's.", organization_id: team }
  ]) {
    const answer = yield* ask("POST", DOCUMENTS, { token, body })
    if (answer.status !== 202) return yield* Effect.die(new Error(answer.text))
  }
  yield* upload()
})

const LARGE = "A sentence that is looked for. ".repeat(50_000)

/** Somebody with something of each kind that an export tells of. */
const resident = Effect.fnUntraced(function*() {
  const { ask } = yield* TestApi
  const sql = yield* SqlClient.SqlClient
  const ada = yield* author({ timezone: "Europe/Berlin" })
  const made = Effect.fnUntraced(function*(path: string, body: unknown) {
    const answer = yield* ada.post(path, body)
    if (answer.status !== 201) return yield* Effect.die(new Error(`${path} answered ${answer.status}: ${answer.text}`))
    return String(answer.at("id"))
  })
  const put = (path: string, body: unknown) => ask("PUT", path, { token: ada.token, body })
  yield* put("/v1/users/profile", { first_name: "Augusta", last_name: "King", timezone: "America/Sao_Paulo" })
  yield* put("/v1/users/preferences", { timezone: "America/Sao_Paulo", locale: "pt-BR", week_start: "sunday", email_report_ready: true, weekly_report: false })

  yield* made("/v1/tags", { name: "kubernetes", category: "technology", color: "#326ce5" })
  const fading = yield* made("/v1/tags", { name: "fading" })
  const billing = yield* made("/v1/projects", { name: "Billing", description: "Geheim 🔑 \"quoted\"", color: "#1f77b4", start_date: "2025-01-01", end_date: "2027-01-01", status: "on_hold" })
  const old = yield* made("/v1/projects", { name: "Old" })
  yield* ada.post(`/v1/projects/${old}/archive`)
  const usual = yield* made("/v1/projects", { name: "Usual" })
  assert.strictEqual((yield* put(`/v1/projects/${usual}/default`, undefined)).status, 200)

  const bea = yield* member(`bea-of-${ada.id}@example.com`)
  const team = yield* bea.team({ name: "The team" })
  const me = { ...bea, email: (yield* ada.get("/v1/users/profile")).at("email"), post: ada.post }
  yield* joins({ ...me, email: String(me.email) }, bea, team)
  const shared = yield* bea.project({ name: "The team's", team_id: team, description: "nothing of Ada's" })
  yield* put(`/v1/projects/${shared}/sharing`, { level: "figures" })

  const of = (title: string, more: Record<string, unknown> = {}) =>
    made("/v1/logs", { title, type: "code", start_time: "2026-01-06T09:00:00.123Z", end_time: "2026-01-06T10:30:00.456Z", ...more })
  yield* of("Of the project", { project_id: billing, tags: ["kubernetes", "backend", "own"], value_rating: "high", impact_level: "company", description: "Zeilen\nund \u2028 mehr 🚀" })
  yield* of("Of the team", { project_id: shared, tags: ["own"] })
  yield* of("Of none", { project_id: null, type: "learning" })
  yield* of("Running", { start_time: "2026-01-07T09:00:00Z", end_time: null })
  const foreign = yield* of("From a calendar", { type: "meeting" })
  const cipher = yield* FieldCipher
  yield* sql`UPDATE log_entries SET source = 'calendar', source_id = ${yield* cipher.encrypt("uid-1@x 20260106", EncryptedColumn.entrySourceId, foreign)} WHERE id = ${foreign}`

  const week = { start_date: "2026-01-05", end_date: "2026-01-11" }
  const goal = yield* made("/v1/goals", { title: "Ship it", measure: "hours", target: 12.5, ...week, tags: ["own", "backend"], project_ids: [billing, shared], activity_types: ["code", "debug"] })
  yield* made("/v1/goals", { title: "Anything", description: "of any kind", measure: "entries", target: 3, ...week })
  yield* made("/v1/goals", { title: "Faded", measure: "hours", target: 1, ...week, tags: ["fading"] })
  yield* ask("DELETE", `/v1/tags/${fading}`, { token: ada.token })

  const slug = goalSlug(GoalId.make(goal))
  const reached = `You reached {{goal.${slug}.percent}} of it. It took 17 cups of coffee.`
  const report = yield* generated(ada, { report_type: "weekly", period_start: "2026-01-05", period_end: "2026-01-11", context: "the 2026 review" }, `You recorded {{total.time}}. ${reached}\n\nLatency fell by 90% [[${ada.fix}]].`)
  const ofProject = yield* generated(ada, { report_type: "monthly", period_start: "2026-01-01", period_end: "2026-01-31", include_projects: [billing, shared] })
  const chosen = yield* narrated(ada, { content: `It was {{total.time}} [[${ada.meeting}]].`, tags: [], confidence: 0.5 })
  for (const { insight } of [report, ofProject, chosen]) assert.strictEqual(insight.status, 200, insight.text)
  // What an insight rests on may be gone.
  yield* ask("DELETE", `/v1/logs/${ada.meeting}`, { token: ada.token })

  yield* withInbox(ada)
  yield* withDocuments(ada.token, team)
  yield* made("/v1/users/tokens", { name: "laptop", scopes: ["read"] })
  yield* made("/v1/export/ics/feeds", { name: "calendar", disclosure: "busy" })
  return ada
})

const UUID = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g
const idsIn = (row: Row): ReadonlyArray<string> => JSON.stringify(row).match(UUID) ?? []

/** By what a record is known again. */
const natural: Readonly<Record<string, (row: Row) => unknown>> = {
  user_profile: () => "one",
  tags: ({ name }) => name,
  projects: ({ name }) => name,
  default_project: () => "one",
  goals: ({ title }) => title,
  log_entries: ({ title }) => title,
  insights: ({ created_at }) => created_at,
  imports: ({ created_at }) => created_at,
  proposals: ({ content, start_time }) => `${String(start_time)} ${JSON.stringify(content)}`,
  documents: ({ document_id }) => document_id,
  document_uploads: ({ created_at }) => created_at,
  document_upload_parts: ({ place }) => place
}

const ordered = (section: string, rows: ReadonlyArray<Row>): ReadonlyArray<Row> => {
  const key = natural[section] ?? (() => "")
  return [...rows].sort((a, b) => String(key(a)) < String(key(b)) ? -1 : 1)
}

/** Of the account that imported: its own address, its own rights, and when it was made, changed and logged in to. */
const OWN = ["email", "is_admin", "created_at", "updated_at", "last_login_at"]

/** What must be the same, when ids are. */
const told = (section: string, row: Row): Row => {
  if (section === "user_profile") return Struct.omit(row, OWN)
  // A project that was a team's has no description, which was its maker's.
  if (section === "projects") return Struct.omit<Row, ["organization_id"]>({ description: null, ...row }, ["organization_id"])
  if (section === "imports") return Struct.omit<Row, ["task_id"]>(row, ["task_id"])
  if (section === "documents") return Struct.omit<Row, ["organization_id", "task_id"]>(row, ["organization_id", "task_id"])
  if (section === "document_uploads") return Struct.omit<Row, ["organization_id"]>(row, ["organization_id"])
  if (section === "goals" && Array.isArray(row["projects"])) return { ...row, projects: [...row["projects"]].sort() }
  if (section !== "insights") return row
  const text = JSON.stringify({ ...Struct.omit(row, ["organization_id"]), task_id: String(row["task_id"]).split("_").slice(0, 2).join("_") })
  // The last of a goal's digests is that of its projects' ids: that it is right is seen where the insight is verified.
  return decodeRows(`[${text.replace(/("goals":\[[^\]]*\])/g, (goals) => goals.replace(/"digests":"(.*?).{6}"/g, "\"digests\":\"$1\""))}]`)[0] ?? {}
}

layer(wholeApi(), { excludeTestServices: true, timeout: "120 seconds" })("an exported account", (it) => {
  it.effect("comes back in an empty one: its export is the same but for ids and what is the new account's own", () => Effect.gen(function*() {
    const ada = yield* resident().pipe(Effect.provide(FieldCipher.layer(encryptionKeys)))
    const bob = yield* somebody()
    const [before, text] = [yield* exported(ada.token), yield* exported(ada.token)]
    const answer = yield* importing(bob.token, text)
    assert.strictEqual(answer.status, 201, answer.text)
    const [was, is] = [yield* documentOf(text), yield* documentOf(yield* exported(bob.token))]
    assert.deepStrictEqual((yield* documentOf(before))("log_entries"), was("log_entries"))

    const bringing: Readonly<Record<string, ReadonlyArray<Row>>> = {
      ...Object.fromEntries(Struct.keys(restoredSections).map((section) => [section, was(section)])),
      projects: [...was("projects"), ...was("team_projects").map((project): Row => ({ ...project, created_by: ada.id }))],
      documents: was("documents").filter(({ personal }) => personal),
      document_uploads: was("document_uploads").filter(({ document }) => document !== null),
      document_upload_parts: was("document_upload_parts").filter(({ upload }) => was("document_uploads").some(({ document, id }) => id === upload && document !== null))
    }
    assert.lengthOf(is("team_projects"), 0)
    // In the order of ids, which decides between entries that are alike.
    assert.deepStrictEqual(is("log_entries").map(({ title }) => title), was("log_entries").map(({ title }) => title))
    /** Ids of the new account with those that they stand for. */
    const meant = new Map<string, string>()
    const renamed = (row: Row): Row => {
      const slugs = new Map([...meant].map(([now, then]) => [now.slice(0, 8), then.slice(0, 8)]))
      const text = JSON.stringify(row).replace(UUID, (id) => meant.get(id) ?? id).replace(/goal\.([0-9a-f]{8})\./g, (_, slug: string) => `goal.${slugs.get(slug)}.`)
      return decodeRows(`[${text}]`)[0] ?? {}
    }
    for (const section of Struct.keys(natural)) {
      const [old, now] = [ordered(section, bringing[section] ?? []), ordered(section, is(section))]
      assert.isAbove(old.length, 0, `${section}: there is nothing to compare`)
      assert.lengthOf(now, old.length, section)
      for (const name of ["id", "key"]) for (const [index, row] of now.entries()) {
        if (typeof row[name] === "string") meant.set(row[name], String(old[index]?.[name]))
      }
      for (const [index, row] of now.entries()) {
        // What is gone has an id too, and the same one wherever it is named.
        if (section === "insights") for (const [place, id] of idsIn(Struct.omit(row, ["organization_id"])).entries()) {
          const then = idsIn(Struct.omit(old[index] ?? {}, ["organization_id"]))[place] ?? ""
          assert.strictEqual(meant.get(id) ?? then, then)
          assert.notStrictEqual(id, then)
          meant.set(id, then)
        }
        assert.deepStrictEqual(told(section, renamed(row)), told(section, old[index] ?? {}), section)
      }
    }
    assert.strictEqual(new Set(meant.values()).size, meant.size)
    const left = Struct.keys(leftOutSections).filter((section) => was(section).length > 0)
    assert.includeMembers(left, ["organizations", "shared_projects", "tasks", "sessions", "api_tokens", "calendar_feeds", "security_events"])
    const elsewhere = "belong to no document that comes back"
    assert.deepStrictEqual(answer.at("left_out"), [
      { section: "documents", count: 1, reason: "were handed in to teams, where they stay" },
      { section: "document_uploads", count: 1, reason: elsewhere },
      { section: "document_upload_parts", count: 2, reason: elsewhere },
      ...left.map((section) => ({ section, count: was(section).length, reason: leftOutSections[section] }))
    ])
    assert.deepStrictEqual(answer.at("restored"), Object.fromEntries(Struct.keys(restoredSections).map((section) =>
      [section, section === "projects" ? was(section).length : bringing[section]?.length])))
  }), 120_000)

  it.effect("is of use where it came to: insights verify as before, words are found, goals count, entries go to the default project", () => Effect.gen(function*() {
    const ada = yield* resident().pipe(Effect.provide(FieldCipher.layer(encryptionKeys)))
    const bob = yield* somebody()
    assert.strictEqual((yield* importing(bob.token, yield* exported(ada.token))).status, 201)
    const verdicts = Effect.fnUntraced(function*(who: { readonly get: (path: string) => Effect.Effect<Answer>; readonly post: (path: string) => Effect.Effect<Answer> }) {
      const list = yield* who.get("/v1/insights")
      return yield* Effect.forEach([0, 1, 2], (index) =>
        Effect.map(who.post(`/v1/insights/${String(list.at("items", index, "id"))}/verify`), (answer) => {
          assert.strictEqual(answer.status, 200, answer.text)
          const changes = answer.at("changes")
          return [answer.at("verdict"), answer.at("facts_unchanged"), Array.isArray(changes) ? changes.map((change: unknown) => Struct.omit(Object(change), ["entry_id"])) : changes]
        }))
    })
    assert.deepStrictEqual(yield* verdicts(bob), yield* verdicts(ada))
    const found = yield* bob.get("/v1/logs?q=mehr")
    assert.strictEqual(found.at("items", 0, "title"), "Of the project")
    assert.strictEqual(found.at("items", 0, "project_name"), "Billing")
    const progress = (goals: { readonly at: (...path: ReadonlyArray<string | number>) => unknown }) =>
      [0, 1, 2].map((index) => [goals.at("items", index, "title"), goals.at("items", index, "progress", "value")])
    assert.deepStrictEqual(progress(yield* bob.get("/v1/goals")), progress(yield* ada.get("/v1/goals")))
    const recorded = yield* bob.post("/v1/logs", { title: "Later", type: "code", start_time: "2026-02-01T09:00:00Z", end_time: "2026-02-01T10:00:00Z" })
    assert.strictEqual(recorded.at("project_name"), "Usual")
    const sql = yield* SqlClient.SqlClient
    assert.strictEqual(JSON.stringify(yield* sql`SELECT description, source_id FROM log_entries WHERE user_id = ${bob.id}`).includes("mehr"), false)
    yield* eventually(
      sql<{ detail: { readonly log_entries?: number } }>`SELECT detail FROM security_events WHERE user_id = ${bob.id} AND event = 'account_imported'`,
      (rows) => rows[0]?.detail.log_entries === 7
    )
  }), 120_000)

  it.effect("knows in its inbox what was imported: open proposals are decided there, and the same again adds nothing", () => Effect.gen(function*() {
    const [ada, bob] = [yield* somebody(), yield* somebody()]
    yield* withInbox(ada)
    assert.strictEqual((yield* importing(bob.token, yield* exported(ada.token))).status, 201)
    const told = (inbox: ReadonlyArray<Record<string, unknown>>) => inbox.map((proposal) => Struct.omit(proposal, ["id", "import_id"]))
    assert.lengthOf(yield* inboxOf(ada), 2)
    assert.deepStrictEqual(told(yield* inboxOf(bob)), told(yield* inboxOf(ada)))
    const [record] = Object((yield* bob.get("/v1/imports")).at("items"))
    assert.deepInclude(record, { state: "completed", outcome: "completed", created: 4, problem_count: 1 })
    assert.deepInclude(record.problems[0], { row: 7, field: "DTSTART", error: "is no time" })
    assert.deepInclude((yield* importedItems(bob, found)).body, { created: 0, updated: 0, corrections: 0, removed: 0, unchanged: 4 })
    assert.deepStrictEqual(told(yield* inboxOf(bob)), told(yield* inboxOf(ada)))
    // What became an entry before is corrected now, as it would have been there.
    const changed = found.map((one) => one.title === "Retro" ? { ...one, title: "Retrospective" } : one)
    assert.deepInclude((yield* importedItems(bob, changed)).body, { created: 0, corrections: 1, unchanged: 3 })
    const [entry] = Object((yield* bob.get("/v1/logs")).at("items"))
    const correction = (yield* inboxOf(bob)).find(({ title }) => title === "Retrospective")
    assert.strictEqual(correction?.["entry_id"], entry.id)
    const decided = yield* bob.post("/v1/inbox/decisions", { decisions: (yield* inboxOf(bob)).map(({ id }) => ({ id, action: "accept" })) })
    assert.deepInclude(decided.body, { succeeded: 3, failed: 0 })
    assert.strictEqual((yield* bob.get(`/v1/logs/${String(entry.id)}`)).at("title"), "Retrospective")
  }), 60_000)

  it.effect("has its documents processed again, as they were handed in", () => Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const [ada, bob] = [yield* member(`documents-of-ada@example.com`), yield* somebody()]
    yield* withDocuments(ada.token, yield* ada.team({ name: "Another team" }))
    assert.strictEqual((yield* importing(bob.token, yield* exported(ada.token))).status, 201)
    const listed = Object((yield* bob.get("/v1/knowledge/documents")).at("items"))
    assert.deepStrictEqual(listed.map((document: Row) => [document["document_id"], document["title"], document["status"], document["searched_revision"]]), [
      ["large", null, "pending", null], ["small.pdf", null, "pending", null], ["handbook", "Das Handbuch", "pending", null]
    ])
    const worker = yield* workerFor(["DOCUMENT_PROCESSING"])
    const [large, pdf, handbook] = listed.map(({ task_id }: Row) => task_id)
    // In whichever order they come, with those of others.
    const taken = new Map<unknown, HeldTask>()
    yield* worker.next.pipe(
      Effect.tap((task) => Effect.sync(() => taken.set(task.task_id, task))),
      Effect.repeat({ until: () => [large, pdf, handbook].every((task_id) => taken.has(task_id)) })
    )
    const sourceOf = Effect.fnUntraced(function*(task_id: unknown) {
      return JSON.parse(yield* worker.data(taken.get(task_id) ?? assert.fail("its task did not come")))
    })
    assert.deepInclude(yield* sourceOf(handbook), { content: "# Dienst\n\nWho is on call answers.", encoded: false, format: "markdown", chunk_size: 500, overlap: 50, parts: 0 })
    assert.deepInclude(yield* sourceOf(pdf), { encoded: true, format: "pdf", content: Buffer.from("%PDF-1.7 …").toString("base64") })
    assert.deepInclude(yield* sourceOf(large), { content: null, parts: 2 })
    const key = DocumentKey.make(String(listed[0].key))
    const parts = yield* Effect.forEach([0, 1], (place) => UploadRepo.use((uploads) => uploads.part(key, place)))
    assert.strictEqual(Buffer.concat(parts.map(Option.getOrThrow)).toString(), LARGE)
    const rows = yield* sql`SELECT submitted_by, (SELECT user_id FROM document_uploads u WHERE u.document = d.key) AS uploader FROM documents d WHERE key = ${key}::uuid`
    assert.deepStrictEqual(rows, [{ submitted_by: bob.id, uploader: null }])
  }).pipe(Effect.scoped, Effect.provide(UploadRepo.layer.pipe(Layer.provide(FieldCipher.layer(encryptionKeys))))), 60_000)

  it.effect("may come without what makes it large, and says which documents stay away", () => Effect.gen(function*() {
    const [ada, bob, eve] = [yield* member(`parts-of-ada@example.com`), yield* somebody(), yield* somebody()]
    yield* withDocuments(ada.token, yield* ada.team({ name: "A third team" }))
    const text = yield* exported(ada.token)
    const sections = JSON.parse(text)
    const without = yield* importing(bob.token, JSON.stringify({ ...sections, document_upload_parts: undefined }))
    assert.strictEqual(without.status, 201, without.text)
    assert.deepInclude(without.at("restored"), { documents: 2, document_uploads: 0, document_upload_parts: 0 })
    assert.deepInclude(Object(without.at("left_out")), { section: "documents", count: 1, reason: "were uploaded, and their parts are not all in the file; submit them again" })
    const taken = sections.document_uploads.find(({ document }: Row) => document !== null).id
    const shorter = sections.document_upload_parts.map((part: { readonly upload: string; readonly content: string }) =>
      part.upload === taken ? { ...part, content: part.content.slice(0, -4) } : part)
    const half = yield* importing(eve.token, JSON.stringify({ ...sections, document_upload_parts: shorter }))
    assert.deepInclude(half.at("restored"), { documents: 2 }, "a part that is shorter than it was is not all of it")
    const again = yield* importing(eve.token, text)
    assert.strictEqual(again.error, "your account is not empty: it has documents; import into a new one")
  }), 60_000)

  it.effect("has every section decided: it comes back, or it is said why not", () => Effect.gen(function*() {
    const decided = [...Struct.keys(restoredSections), ...Struct.keys(leftOutSections)]
    assert.sameMembers(personalTables.map(({ section }) => section), decided)
  }))
})

const document = {
  version: 1,
  exported_at: "2026-01-31T18:00:00.000Z",
  user_profile: [{ id: "d8c8aa81-59cb-45ab-8eb3-6042c84498fd", first_name: "Grace", last_name: "Hopper", timezone: "UTC", preferences: {} }],
  tags: [],
  projects: [],
  team_projects: [],
  default_project: [],
  goals: [],
  log_entries: [],
  insights: []
}

/** Of a request that is written by hand. */
const head = (token: string) =>
  `POST /v1/import/account HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer ${token}\r\ncontent-type: application/json\r\n`

const id = (number: number) => `00000000-0000-4000-8000-${number.toString(16).padStart(12, "0")}`
const times = { created_at: "2026-01-05T09:00:00.123456+00:00", updated_at: "2026-01-05T09:00:00.123456+00:00" }

const anEntry = (number: number, more: Record<string, unknown> = {}) => ({
  id: id(number),
  project_id: null,
  title: `Entry ${number}`,
  description: `It took a while to see why: ${"one more sentence about it. ".repeat(10)}`,
  type: "code",
  tags: ["backend", `topic-${number % 40}`],
  start_time: `2025-${String(1 + number % 12).padStart(2, "0")}-${String(1 + number % 28).padStart(2, "0")}T09:00:00+00:00`,
  end_time: `2025-${String(1 + number % 12).padStart(2, "0")}-${String(1 + number % 28).padStart(2, "0")}T10:00:00+00:00`,
  value_rating: "medium",
  impact_level: "team",
  source: null,
  source_id: null,
  ...times,
  ...more
})

const aProject = (number: number, more: Record<string, unknown> = {}) => ({
  id: id(number), name: `Project ${number}`, description: null, status: "active", color: null, start_date: null, end_date: null, archived_at: null, ...times, ...more
})

const aGoal = (more: Record<string, unknown> = {}) => ({
  id: id(9), title: "G", description: null, measure: "hours", target: 1, start_date: "2026-01-01", end_date: "2026-01-31", activity_types: null, any_tag: true,
  any_project: false, tags: [], projects: [], ...times, ...more
})

const aProposal = (more: Record<string, unknown> = {}) => ({
  id: id(20), import_id: null, source: "calendar", start_time: "2026-01-05T09:00:00+00:00", end_time: "2026-01-05T10:00:00+00:00", all_day: false, removed: false, state: "open",
  entry_id: null, content: { source_id: "a b", occurrence: "b", title: "T", description: null, type: "code", impact_level: "team", tags: [], project: null }, ...times, ...more
})

const aDocument = (more: Record<string, unknown> = {}) => ({
  key: id(30), document_id: "handbook", personal: true, title: null, format: "text", source: "text", encoded: false, chunk_size: 1000, overlap: 100, revision: 1, ...times, ...more
})

const entries = (...given: ReadonlyArray<unknown>) => JSON.stringify({ ...document, log_entries: given })
const many = Array.from({ length: 18 }, (_, number) => anEntry(number))

/** What is wrong, as it is told. */
const faults: ReadonlyArray<readonly [what: string, raw: string, error: string | RegExp]> = [
  ["another version", JSON.stringify({ ...document, version: 2 }), "version: must be 1: no other form of the document is known here"],
  ["no version", JSON.stringify({ ...document, version: undefined }), "version: is required"],
  ["no section of what comes back", JSON.stringify({ ...document, goals: undefined, insights: undefined }), "goals: is required; insights: is required"],
  ["nothing", "", "body: is not valid JSON: it is empty at byte 1"],
  ["a list", "[]", "body: is not valid JSON: unexpected \"[\" at byte 1"],
  ["no JSON", "<xml/>", "body: is not valid JSON: unexpected \"<\" at byte 1"],
  ["an upload that was cut between records", entries(...many).slice(0, entries(...many).lastIndexOf(",{\"id\"")), /^body: is not valid JSON: it ends too early at byte \d+, after log_entries\[16\]$/],
  ["an upload that was cut within a record", entries(...many).slice(0, -300), /^body: is not valid JSON: it ends too early at line 1, column \d+ of log_entries\[17\]$/],
  ["an upload without its last brace", JSON.stringify(document).slice(0, -1), /^body: is not valid JSON: it ends too early at byte \d+$/],
  ["something behind the last brace", `${JSON.stringify(document)} x`, /^body: is not valid JSON: unexpected "x" at byte \d+$/],
  ["a section that is given twice", JSON.stringify(document).replace("\"tags\":[]", "\"tags\":[],\"tags\":[]"), "tags: is given more than once"],
  ["a head that is a list", JSON.stringify({ ...document, version: [] }), "version: is required"],
  ["a section that is no list", JSON.stringify({ ...document, goals: null }), "goals: must be a list"],
  ["an unknown section", JSON.stringify({ ...document, wishes: [] }), "unknown field \"wishes\""],
  ["an unknown section with records", JSON.stringify({ ...document, wishes: [{}] }), "unknown field \"wishes\""],
  ["a record that is left out and is none", JSON.stringify({ ...document, sessions: [1] }), "sessions[0]: must be a JSON object"],
  ["two profiles", JSON.stringify({ ...document, user_profile: [...document.user_profile, ...document.user_profile] }), "user_profile: must hold one profile"],
  ["an end before its start", entries(...many.with(17, anEntry(17, { end_time: "2020-01-01T00:00:00Z" }))), "log_entries[17].end_time: must be after start_time"],
  ["an end that is no time", entries(...many.with(17, anEntry(17, { end_time: "soon" }))), /^log_entries\[17\]\.end_time: must be an RFC 3339 time/],
  ["an entry of a year and more", entries(anEntry(1, { end_time: "2026-12-31T00:00:00Z" })), "log_entries[0].end_time: must be at most 366 days after start_time"],
  ["an entry that runs from tomorrow on", entries(anEntry(1, { start_time: "2190-01-01T00:00:00Z", end_time: null })), /^log_entries\[0\]\.start_time: must not lie in the future/],
  ["a title that is too long", entries(anEntry(1, { title: "x".repeat(201) })), "log_entries[0].title: must be at most 200 characters long"],
  ["a type that does not exist", entries(anEntry(1, { type: "sleep" })), /^log_entries\[0\]\.type: must be one of meeting/],
  ["a field that is not known", entries(anEntry(1, { mood: "good" })), "unknown field \"log_entries[0].mood\""],
  ["a field that is missing", entries(anEntry(1, { created_at: undefined })), "log_entries[0].created_at: is required"],
  ["a source without a name there", entries(anEntry(1, { source: "calendar" })), "log_entries[0].source_id: must be given with source, and null without"],
  ["text that cannot be stored", entries(anEntry(1, { title: "a\u0000b" })), "log_entries[0].title: must not contain the NUL character"],
  ["a field that is given twice", entries(anEntry(1)).replace("\"type\"", "\"title\":\"b\",\"type\""), "log_entries[0].title: is given more than once"],
  ["a project that the document does not have", entries(anEntry(1), anEntry(2, { project_id: id(77) })), `log_entries[1].project_id: the document has no project ${id(77)}`],
  ["ids that come twice", entries(anEntry(1), anEntry(2), anEntry(1)), "log_entries[2].id: is that of log_entries[0] already"],
  ["a project and a team's project of one id", JSON.stringify({ ...document, projects: [aProject(1)], team_projects: [{ ...aProject(1), description: undefined }] }), "team_projects[0].id: is that of projects[0] already"],
  ["tags of one name", JSON.stringify({ ...document, tags: [1, 2].map((number) => ({ id: id(number), name: number === 1 ? "x" : " X ", category: null, color: null, created_at: times.created_at })) }), "tags[1].name: is that of tags[0] already"],
  ["a goal of a project that is not there", JSON.stringify({ ...document, goals: [aGoal({ projects: [id(5)] })] }), `goals[0].projects[0]: the document has no project ${id(5)}`],
  ["a target out of range", JSON.stringify({ ...document, goals: [aGoal({ target: 1e9 })] }), "goals[0].target: must be from 0.01 to 100000, with two decimals at most"],
  ["a default project that is archived", JSON.stringify({ ...document, projects: [aProject(1, { archived_at: times.created_at })], default_project: [{ project_id: id(1) }] }), "default_project[0].project_id: must not be archived"],
  ["a default project that is not there", JSON.stringify({ ...document, default_project: [{ project_id: id(1) }] }), `default_project[0].project_id: the document has no project ${id(1)}`],
  ["a proposal of an entry that is not there", JSON.stringify({ ...document, proposals: [aProposal({ entry_id: id(5) })] }), `proposals[0].entry_id: the document has no entry ${id(5)}`],
  ["a proposal of an import that is not there", JSON.stringify({ ...document, proposals: [aProposal({ import_id: id(5) })] }), `proposals[0].import_id: the document has no import ${id(5)}`],
  ["two proposals of one item", JSON.stringify({ ...document, proposals: [aProposal(), aProposal({ id: id(21) })] }), "proposals[1].content.source_id: is that of proposals[0] already"],
  ["an occurrence that is none", JSON.stringify({ ...document, proposals: [aProposal({ content: { ...aProposal().content, occurrence: "c" } })] }), "proposals[0].content.occurrence: must be the end of source_id, after a space"],
  ["a proposal without time", JSON.stringify({ ...document, proposals: [aProposal({ end_time: "2026-01-05T09:00:00Z" })] }), "proposals[0].end_time: must be after start_time"],
  ["two documents of one name", JSON.stringify({ ...document, documents: [aDocument(), aDocument({ key: id(31) })] }), "documents[1].document_id: is that of documents[0] already"],
  ["a document that is no Base64", JSON.stringify({ ...document, documents: [aDocument({ encoded: true, source: "!" })] }), "documents[0].source: must be Base64 (RFC 4648, section 4)"],
  ["a part of an upload that is no Base64", JSON.stringify({ ...document, document_upload_parts: [{ upload: id(1), place: 0, content: "!" }] }), "document_upload_parts[0].content: must be Base64 (RFC 4648, section 4)"],
  ["a zone that does not exist", JSON.stringify({ ...document, user_profile: [{ ...document.user_profile[0], timezone: "Mars/Base" }] }), /^user_profile\[0\]\.timezone: must be an IANA time zone/]
]

layer(wholeApi(), { excludeTestServices: true, timeout: "120 seconds" })("an import of an account", (it) => {
  const everything = Effect.fnUntraced(function*(token: string) {
    const read = yield* documentOf(yield* exported(token))
    return JSON.stringify(Struct.keys(restoredSections).map(read))
  })

  it.effect("that cannot be is refused by place and reason, and nothing of it is written", () => Effect.gen(function*() {
    const bob = yield* somebody()
    const before = yield* everything(bob.token)
    for (const [what, raw, error] of faults) {
      const answer = yield* importing(bob.token, raw)
      assert.strictEqual(answer.status, 400, `${what}: ${answer.text}`)
      if (typeof error === "string") assert.strictEqual(answer.error, error, what)
      else assert.match(answer.error, error, what)
    }
    assert.strictEqual(yield* everything(bob.token), before)
    assert.strictEqual((yield* importing(bob.token, entries(...many))).status, 201)
  }), 60_000)

  it.effect("names bytes that are no UTF-8 and a body that is no JSON by its type", () => Effect.gen(function*() {
    const bob = yield* somebody()
    const { ask } = yield* TestApi
    assert.strictEqual((yield* ask("POST", "/v1/import/account", { token: bob.token })).status, 415)
    assert.strictEqual((yield* importing(bob.token, JSON.stringify(document), { "content-type": "text/csv" })).status, 415)
    assert.strictEqual((yield* ask("POST", "/v1/import/account", { raw: JSON.stringify(document) })).status, 401)
  }))

  it.effect("is for an empty account only, and says what is there", () => Effect.gen(function*() {
    const bob = yield* somebody()
    assert.strictEqual((yield* importing(bob.token, entries(...many))).status, 201)
    const again = yield* importing(bob.token, entries(...many))
    assert.deepStrictEqual([again.status, again.error], [409, "your account is not empty: it has entries, tags; import into a new one"])
    assert.strictEqual(again.at("code"), "conflict")
    const eve = yield* somebody()
    yield* eve.post("/v1/projects", { name: "P" })
    yield* eve.post("/v1/goals", { title: "G", measure: "hours", target: 1, start_date: "2026-01-01", end_date: "2026-01-02" })
    assert.strictEqual((yield* importing(eve.token, JSON.stringify(document))).error, "your account is not empty: it has projects, goals; import into a new one")
  }))

  it.effect("is done once where two come at the same time", () => Effect.gen(function*() {
    const bob = yield* somebody()
    const answers = yield* Effect.forEach([1, 2, 3], () => importing(bob.token, entries(...many)), { concurrency: "unbounded" })
    assert.deepStrictEqual(answers.map(({ status }) => status).sort(), [201, 409, 409])
    const sql = yield* SqlClient.SqlClient
    assert.lengthOf(yield* sql`SELECT 1 FROM log_entries WHERE user_id = ${bob.id}`, many.length)
  }))

  it.effect("with an Idempotency-Key is answered again as it was, and refused with another document", () => Effect.gen(function*() {
    const bob = yield* somebody()
    const key = { "idempotency-key": "once" }
    const bad = yield* importing(bob.token, entries(anEntry(1, { title: "" })), key)
    assert.strictEqual(bad.status, 400)
    const first = yield* importing(bob.token, entries(...many), key)
    assert.strictEqual(first.status, 201, first.text)
    const again = yield* importing(bob.token, entries(...many), key)
    assert.deepStrictEqual([again.status, again.text, again.headers["idempotent-replayed"]], [201, first.text, "true"])
    assert.strictEqual((yield* importing(bob.token, entries(anEntry(1)), key)).status, 422)
  }))

  it.effect("leaves a tag to the predefined one of its name", () => Effect.gen(function*() {
    const bob = yield* somebody()
    const tags = ["backend", "mine"].map((name, number) => ({ id: id(number), name, category: null, color: null, created_at: times.created_at }))
    const answer = yield* importing(bob.token, JSON.stringify({ ...document, tags, log_entries: [anEntry(1, { tags: ["mine", "backend"] })] }))
    assert.deepStrictEqual(answer.at("left_out"), [{ section: "tags", count: 1, reason: "are predefined here: entries and goals have those" }])
    assert.deepStrictEqual((yield* bob.get("/v1/logs")).at("items", 0, "tags"), ["mine", "backend"])
  }))

  it.effect("takes the records of ExportAccount over RPC, and refuses there what REST refuses", () => Effect.gen(function*() {
    const { address } = yield* HttpServer.HttpServer
    const url = `http://127.0.0.1:${"port" in address ? address.port : 0}`
    const [ada, bob] = [yield* somebody(), yield* somebody()]
    yield* importing(ada.token, JSON.stringify({ ...document, projects: [aProject(1)], log_entries: many.map((entry) => ({ ...entry, project_id: id(1) })) }))
    const as = (token: string) => Effect.provide(EngLogClient.layer({ url, auth: Redacted.make(token) }))
    const records = yield* Stream.runCollect(Stream.unwrap(Effect.map(EngLogClient, (client) => client.ExportAccount()))).pipe(as(ada.token))
    const restored = yield* EngLogClient.use((client) => client.ImportAccount({ version: 1, records: [...records] })).pipe(as(bob.token))
    assert.deepInclude(restored.restored, { log_entries: 18, projects: 1 })
    assert.strictEqual((yield* bob.get("/v1/logs")).at("items", 0, "project_name"), "Project 1")
    const again = yield* Effect.flip(EngLogClient.use((client) => client.ImportAccount({ version: 1, records: [...records] })).pipe(as(bob.token)))
    assert.deepInclude(again, { reason: "conflict" })
    const broken = yield* Effect.flip(EngLogClient.use((client) => client.ImportAccount({ version: 1, records: records.filter(({ section }) => section !== "projects") })).pipe(as(bob.token)))
    assert.match(String(broken), /log_entries\[0\]\.project_id: the document has no project/)
  }), 60_000)

  it.effect("takes five thousand entries, and 12,000 in one list", () => Effect.gen(function*() {
    for (const count of [5_000, 12_000]) {
      const bob = yield* somebody()
      const raw = entries(...Array.from({ length: count }, (_, number) => anEntry(number)))
      assert.isAbove(raw.length, 1024 * 1024)
      const answer = yield* importing(bob.token, raw)
      assert.strictEqual(answer.status, 201, answer.text)
      const sql = yield* SqlClient.SqlClient
      assert.deepStrictEqual(yield* sql`SELECT count(*)::int AS count FROM log_entries WHERE user_id = ${bob.id}`, [{ count }])
    }
  }), 120_000)

  it.effect("reads 64 MiB and not a byte more, whether the length is told or not", () => Effect.gen(function*() {
    const bob = yield* somebody()
    const { ask } = yield* TestApi
    const largest = JSON.stringify(document).padEnd(MAX_DOCUMENT_BYTES, " ")
    const over = yield* importing(bob.token, `${largest} `)
    assert.deepStrictEqual([over.status, over.error], [413, `body: must be at most ${MAX_DOCUMENT_BYTES} bytes`])
    const untold = Buffer.concat([
      Buffer.from(`${head(bob.token)}transfer-encoding: chunked\r\n\r\n${(MAX_DOCUMENT_BYTES + 1).toString(16)}\r\n`), Buffer.from(`${largest} \r\n0\r\n\r\n`)
    ])
    assert.include(yield* exchange(untold), `body: must be at most ${MAX_DOCUMENT_BYTES} bytes`)
    assert.strictEqual((yield* importing(bob.token, largest)).status, 201)
    const elsewhere = yield* ask("POST", "/v1/import/calendar", { token: bob.token, raw: largest.slice(0, 1024 * 1024 + 1) })
    assert.deepStrictEqual([elsewhere.status, elsewhere.error], [413, "body: must be at most 1048576 bytes"])
  }), 60_000)

  it.effect("waits for four large bodies at once, and tells a fifth to come again", () => Effect.gen(function*() {
    const bob = yield* somebody()
    const refused = importing(bob.token, "x".repeat(1024 * 1024 + 1))
    yield* Effect.scoped(Effect.gen(function*() {
      for (const _ of [1, 2, 3, 4]) yield* (yield* dial).send(`${head(bob.token)}content-length: ${2 * 1024 * 1024}\r\n\r\n{`)
      const answer = yield* eventually(refused, ({ status }) => status === 503)
      assert.isAtLeast(Number(answer.headers["retry-after"]), 1)
      // What is small is not in their way.
      assert.strictEqual((yield* importing(bob.token, "x")).status, 400)
    }))
    yield* eventually(refused, ({ status }) => status === 400)
  }), 60_000)
})

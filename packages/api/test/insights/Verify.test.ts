import { assert, layer } from "@effect/vitest"
import { Verification } from "@englog/domain/verification/Verification"
import { Effect, Schema } from "effect"
import { SqlClient } from "effect/sql"
import { EncryptedColumn } from "../../src/crypto/EncryptedColumns.ts"
import { FieldCipher } from "../../src/crypto/FieldCipher.ts"
import { encryptionKeys, TestApi } from "../http/TestApi.ts"
import { type Author, author, generated, narrated, week } from "../support/Narration.ts"
import { wholeApi } from "../support/WholeApi.ts"

const decode = Schema.decodeUnknownEffect(Schema.toCodecJson(Verification))

const verified = Effect.fnUntraced(function*(by: Author, insight: { readonly at: (key: string) => unknown }) {
  const answer = yield* by.post(`/v1/insights/${String(insight.at("id"))}/verify`, undefined)
  assert.strictEqual(answer.status, 200, answer.text)
  return yield* decode(answer.body)
})

/** Replaces fields of an entry. */
const edit = Effect.fnUntraced(function*(by: Author, id: string, fields: Record<string, unknown>) {
  const { ask } = yield* TestApi
  const body = { ...Object((yield* by.get(`/v1/logs/${id}`)).body), ...fields }
  assert.strictEqual((yield* ask("PUT", `/v1/logs/${id}`, { token: by.token, body })).status, 200)
})
const remove = (by: Author, path: string) => TestApi.use(({ ask }) => ask("DELETE", path, { token: by.token }))
const record = (by: Author, day: string, fields: Record<string, unknown> = {}) =>
  Effect.map(
    by.post("/v1/logs", { title: "More of it", type: "code", start_time: `${day}T15:00:00Z`, end_time: `${day}T16:00:00Z`, ...fields }),
    (answer) => String(answer.at("id"))
  )

/** As it travels: ids without their brands. */
const plain = (changes: ReadonlyArray<unknown>): Array<unknown> => JSON.parse(JSON.stringify(changes))

const factOf = ({ facts }: Verification, id: string) => facts.find((fact) => fact.id === id)
/** The changes that are said to explain a fact. */
const why = (verification: Verification, id: string) =>
  plain((factOf(verification, id)?.why ?? []).map((i) => verification.changes[i]))

const text = "You recorded {{total.time}}, of it {{type.code.time}} in code."

layer(wholeApi(), { excludeTestServices: true, timeout: "60 seconds" })("the verification of an insight", (it) => {
  it.effect("finds everything as it was, and every figure where it stands", () => Effect.gen(function*() {
    const ada = yield* author()
    const content = `${text}\n\nLatency fell by 90% [[${ada.fix}]]. It is for the 2026 review.`
    const { insight } = yield* generated(ada, { ...week, context: "the 2026 review" }, content)
    const verification = yield* verified(ada, insight)
    assert.strictEqual(verification.verdict, "verified")
    assert.deepStrictEqual(verification.changes, [])
    assert.strictEqual(verification.facts_unchanged, verification.facts.length)
    assert.deepStrictEqual(verification.sentences.map(({ figures, sentence }) => [sentence, figures.map(({ figure, source }) => `${figure} ${source}`)]), [
      ["You recorded 2 h 30 min, of it 1 h 30 min in code.", ["2 h 30 min fact", "1 h 30 min fact"]],
      ["Latency fell by 90%.", ["90% entry"]],
      ["It is for the 2026 review.", ["2026 context"]]
    ])
    assert.isTrue(verification.sentences.every(({ resolves }) => resolves))
  }))

  it.effect("says old and new value, and that an entry was added", () => Effect.gen(function*() {
    const ada = yield* author()
    const { insight } = yield* generated(ada, week, text)
    const added = yield* record(ada, "2026-01-07")
    const verification = yield* verified(ada, insight)
    assert.strictEqual(verification.verdict, "outdated")
    assert.deepInclude(factOf(verification, "total.time"), { status: "changed", was: { value: 150, text: "2 h 30 min" }, now: { value: 210, text: "3 h 30 min" } })
    assert.deepStrictEqual(why(verification, "total.time"), [{ kind: "entry_added", entry_id: added, fields: [] }])
    assert.deepStrictEqual(why(verification, "type.code.share"), why(verification, "total.time"))
    assert.deepInclude(factOf(verification, "day.2026-01-07.time"), { status: "new", was: null })
    assert.strictEqual(factOf(verification, "type.meeting.time")?.status, "unchanged")
    assert.deepStrictEqual(verification.sentences[0]?.figures.map(({ now, resolves }) => [resolves, now]), [[false, "3 h 30 min"], [false, "2 h 30 min"]])
  }))

  it.effect("names the fields of an entry that was changed", () => Effect.gen(function*() {
    const ada = yield* author()
    const { insight } = yield* generated(ada, week, text)
    yield* edit(ada, ada.fix, { type: "debug", value_rating: "high" })
    const verification = yield* verified(ada, insight)
    const change = { kind: "entry_changed", entry_id: ada.fix, fields: ["type", "value_rating"] }
    assert.deepStrictEqual(plain(verification.changes), [change])
    assert.deepStrictEqual([factOf(verification, "type.code.time")?.status, factOf(verification, "type.debug.time")?.status], ["gone", "new"])
    for (const id of ["type.code.time", "type.debug.time", "value.high.share"]) assert.deepStrictEqual(why(verification, id), [change], id)
    assert.strictEqual(factOf(verification, "total.time")?.status, "unchanged")
    assert.strictEqual(verification.verdict, "outdated")
  }))

  it.effect("tells an entry that was removed from one that was dated elsewhere", () => Effect.gen(function*() {
    const ada = yield* author()
    const { insight } = yield* generated(ada, week, text)
    yield* remove(ada, `/v1/logs/${ada.meeting}`)
    yield* edit(ada, ada.fix, { start_time: "2026-02-02T09:00:00Z", end_time: "2026-02-02T10:30:00Z" })
    const verification = yield* verified(ada, insight)
    const [redated, removed] = [{ kind: "entry_redated", entry_id: ada.fix, fields: ["start_time", "end_time"] }, { kind: "entry_removed", entry_id: ada.meeting, fields: [] }]
    assert.sameDeepMembers(plain(verification.changes), [redated, removed])
    assert.strictEqual(factOf(verification, "type.code.time")?.status, "gone")
    assert.deepStrictEqual(why(verification, "type.code.time"), [redated])
    assert.deepStrictEqual(why(verification, "type.meeting.time"), [removed])
    assert.strictEqual(verification.verdict, "outdated")
  }))

  it.effect("tells an entry that came into the period from a new one", () => Effect.gen(function*() {
    const ada = yield* author()
    const elsewhere = yield* record(ada, "2026-03-03")
    const before = yield* record(ada, "2026-01-02")
    const { insight } = yield* generated(ada, week, text)
    yield* edit(ada, elsewhere, { start_time: "2026-01-08T09:00:00Z", end_time: "2026-01-08T10:00:00Z" })
    yield* edit(ada, before, { start_time: "2026-01-09T09:00:00Z", end_time: "2026-01-09T10:00:00Z" })
    const { changes } = yield* verified(ada, insight)
    assert.sameDeepMembers(plain(changes), [
      { kind: "entry_entered", entry_id: elsewhere, fields: [] },
      { kind: "entry_redated", entry_id: before, fields: ["start_time", "end_time"] }
    ])
  }))

  it.effect("blames a time zone only for what it changed", () => Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const ada = yield* author()
    const late = yield* record(ada, "2026-01-06", { start_time: "2026-01-06T20:00:00Z", end_time: "2026-01-06T21:00:00Z" })
    const { insight } = yield* generated(ada, week, "{{total.time}} in all, {{busiest_day.time}} on the busiest day, the day before {{day.2026-01-06.time}}.")
    yield* sql`UPDATE users SET timezone = 'Asia/Tokyo' WHERE id = ${ada.id}::uuid`
    yield* edit(ada, ada.meeting, { end_time: "2026-01-05T14:00:00Z" })
    const verification = yield* verified(ada, insight)
    const zone = { kind: "time_zone_changed", was: "UTC", now: "Asia/Tokyo" }
    const redated = { kind: "entry_redated", entry_id: ada.meeting, fields: ["end_time"] }
    assert.deepStrictEqual(why(verification, "total.time"), [redated])
    assert.deepStrictEqual(why(verification, "day.2026-01-06.time"), [zone])
    assert.strictEqual(factOf(verification, "day.2026-01-06.time")?.status, "gone")
    assert.deepInclude(factOf(verification, "day.2026-01-07.time"), { status: "new", now: { value: 60, text: "1 h" } })
    assert.deepStrictEqual(why(verification, "hour.20.time"), [zone])
    assert.notInclude(JSON.stringify(verification.changes), late, "the entry itself did not change")
  }))

  it.effect("blames working hours only for what lies outside of them, and an entry where it was the entry", () => Effect.gen(function*() {
    const { ask } = yield* TestApi
    const ada = yield* author()
    const setHours = Effect.fnUntraced(function*(working_hours: unknown) {
      const before = Object((yield* ada.get("/v1/users/preferences")).body)
      assert.strictEqual((yield* ask("PUT", "/v1/users/preferences", { token: ada.token, body: { ...before, working_hours } })).status, 200)
    })
    // A Monday: an hour of the ninety minutes in code is before ten, the meeting is from twelve to one.
    yield* setHours({ monday: [{ start: "10:00", end: "17:00" }] })
    const { insight } = yield* generated(ada, week, "{{outside_hours.time}} ({{outside_hours.share}}) lay outside working hours.")
    assert.strictEqual(insight.at("content"), "1 h (40 %) lay outside working hours.")
    const [first] = (yield* verified(ada, insight)).sentences
    assert.deepStrictEqual(first?.figures.map(({ fact_id, resolves, source }) => [String(fact_id), source, resolves]), [
      ["outside_hours.time", "fact", true], ["outside_hours.share", "fact", true]
    ])
    yield* setHours({ monday: [{ start: "10:00", end: "12:30" }] })
    yield* edit(ada, ada.meeting, { end_time: "2026-01-05T12:45:00Z" })
    const verification = yield* verified(ada, insight)
    const hours = verification.changes.find(({ kind }) => kind === "working_hours_changed")
    assert.deepInclude(Object(plain([hours])[0]), { kind: "working_hours_changed" })
    assert.deepStrictEqual(why(verification, "outside_hours.time"), plain([hours]), "the entry that was changed had no time outside of the hours of then")
    assert.deepInclude(factOf(verification, "outside_hours.time"), { was: { value: 60, text: "1 h" }, now: { value: 75, text: "1 h 15 min" } })
    assert.sameDeepMembers(why(verification, "outside_hours.share"), plain(verification.changes))
    assert.deepStrictEqual(why(verification, "total.time").map((change) => Object(change).kind), ["entry_redated"])
    assert.strictEqual(verification.verdict, "outdated")
    yield* setHours(null)
    assert.strictEqual(factOf(yield* verified(ada, insight), "outside_hours.time")?.status, "gone")
  }))

  it.effect("names goals that were set, changed and removed", () => Effect.gen(function*() {
    const ada = yield* author()
    const goal = { measure: "hours", target: 10, start_date: "2026-01-01", end_date: "2026-01-31", activity_types: ["code"] }
    const set = (title: string) => Effect.map(ada.post("/v1/goals", { ...goal, title }), (answer) => String(answer.at("id")))
    const [changed, removed] = [yield* set("Code more"), yield* set("Code even more")]
    const of = (id: string, what: string) => `goal.${id.slice(0, 8)}.${what}`
    const { insight } = yield* generated(ada, week, `{{${of(changed, "reached")}}} of {{${of(changed, "target")}}} are done.`)
    assert.strictEqual(insight.at("content"), "1 h 30 min of 10 h are done.")
    yield* TestApi.use(({ ask }) => ask("PUT", `/v1/goals/${changed}`, { token: ada.token, body: { ...goal, title: "Code more", target: 20 } }))
    yield* remove(ada, `/v1/goals/${removed}`)
    const added = yield* set("And more")
    const verification = yield* verified(ada, insight)
    assert.strictEqual(verification.verdict, "outdated")
    assert.deepStrictEqual(why(verification, of(changed, "target")), [{ kind: "goal_changed", goal_id: changed, fields: ["target"] }])
    assert.strictEqual(factOf(verification, of(changed, "reached"))?.status, "unchanged")
    assert.deepStrictEqual(why(verification, of(removed, "target")), [{ kind: "goal_removed", goal_id: removed, fields: [] }])
    assert.deepStrictEqual(why(verification, of(added, "percent")), [{ kind: "goal_added", goal_id: added, fields: [] }])
  }))

  it.effect("holds where what changed touches no figure of the text", () => Effect.gen(function*() {
    const ada = yield* author()
    const { insight } = yield* generated(ada, week, text)
    yield* edit(ada, ada.meeting, { value_rating: "high" })
    const verification = yield* verified(ada, insight)
    assert.strictEqual(verification.verdict, "holds")
    assert.strictEqual(factOf(verification, "value.high.time")?.status, "new")
    assert.isTrue(verification.sentences.every(({ resolves }) => resolves))
  }))

  it.effect("finds a quoted figure gone with the words of its entry", () => Effect.gen(function*() {
    const ada = yield* author()
    const { insight } = yield* generated(ada, week, `${text} Latency fell by 90% [[${ada.fix}]].`)
    yield* edit(ada, ada.fix, { description: "Cut p95 latency" })
    const verification = yield* verified(ada, insight)
    assert.strictEqual(verification.verdict, "outdated")
    assert.deepStrictEqual(verification.sentences.map(({ resolves }) => resolves), [true, false])
    assert.deepInclude(verification.sentences[1]?.figures[0], { figure: "90%", source: "none", resolves: false })
  }))

  it.effect("reports a wrong figure that was planted in the stored text, and in the stored facts", () => Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const cipher = yield* FieldCipher
    const ada = yield* author()
    const { insight } = yield* generated(ada, week, `${text}\n\n- Coding went well.\n- It took {{type.code.time}}.`)
    const id = String(insight.at("id"))
    const plant = Effect.fnUntraced(function*(column: "content" | "facts", from: string, to: string) {
      const place = column === "content" ? EncryptedColumn.insightContent : EncryptedColumn.insightFacts
      const [row] = yield* sql<{ value: string }>`SELECT ${sql(column)} AS value FROM insights WHERE id = ${id}::uuid`
      const was = yield* cipher.decrypt(row?.value ?? "", place, id)
      assert.include(was, from)
      yield* sql`UPDATE insights SET ${sql(column)} = ${yield* cipher.encrypt(was.replace(from, to), place, id)} WHERE id = ${id}::uuid`
    })
    yield* plant("content", "2 h 30 min", "25 h 30 min")
    const altered = yield* verified(ada, insight)
    assert.strictEqual(altered.verdict, "inconsistent")
    const wrong = altered.sentences.find(({ sentence }) => sentence.includes("25 h 30 min"))
    assert.deepInclude(wrong, { as_checked: false, resolves: false })
    assert.isTrue(altered.sentences.some(({ resolves, sentence }) => resolves && sentence === "It took 1 h 30 min."), "the rest stands")
    yield* plant("content", "25 h 30 min", "2 h 30 min")
    assert.strictEqual((yield* verified(ada, insight)).verdict, "verified")
    yield* plant("content", "Coding went well.", "Coding went well. It saved 3 days.")
    const planted = yield* verified(ada, insight)
    assert.deepStrictEqual(planted.sentences.filter(({ as_checked }) => !as_checked).map(({ sentence }) => sentence), ["It saved 3 days."])
    assert.strictEqual(planted.verdict, "inconsistent")
    yield* plant("content", " It saved 3 days.", "")
    yield* plant("facts", "\"value\":150,\"unit\":\"minutes\",\"text\":\"2 h 30 min\"", "\"value\":1500,\"unit\":\"minutes\",\"text\":\"25 h\"")
    const forged = yield* verified(ada, insight)
    assert.strictEqual(forged.verdict, "inconsistent")
    assert.deepInclude(factOf(forged, "total.time"), { status: "changed", why: [], was: { value: 1500, text: "25 h" }, now: { value: 150, text: "2 h 30 min" } })
  }).pipe(Effect.provide(FieldCipher.layer(encryptionKeys))))

  it.effect("is possible for insights about chosen entries, too, and stores nothing", () => Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const ada = yield* author()
    const { insight } = yield* narrated(ada, { content: text, tags: [], confidence: 1 }, { entry_ids: [ada.fix] })
    const rows = sql<{ row: string }>`SELECT i::text AS row FROM insights i WHERE user_id = ${ada.id}::uuid`
    const before = yield* rows
    assert.strictEqual((yield* verified(ada, insight)).verdict, "verified")
    yield* edit(ada, ada.fix, { end_time: "2026-01-05T12:00:00Z" })
    assert.strictEqual((yield* verified(ada, insight)).verdict, "outdated")
    assert.deepStrictEqual(yield* rows, before)
  }))

  it.effect("is refused for an insight of which nothing was kept to verify it by", () => Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const ada = yield* author()
    const { insight } = yield* generated(ada, week, text)
    yield* sql`UPDATE insights SET basis = NULL WHERE user_id = ${ada.id}::uuid`
    const answer = yield* ada.post(`/v1/insights/${String(insight.at("id"))}/verify`, undefined)
    assert.strictEqual(answer.status, 409)
    assert.match(answer.error, /generate it again/)
  }))
})

import { assert, layer } from "@effect/vitest"
import { EngLogClient } from "@englog/rpc/client/EngLogClient"
import { Effect, Fiber, Layer, Redacted, Schedule } from "effect"
import { HttpServer } from "effect/http"
import { SqlClient } from "effect/sql"
import { somebody, type Somebody } from "../support/Person.ts"
import { wholeApi } from "../support/WholeApi.ts"
import { TestApi } from "./TestApi.ts"

interface Noun {
  readonly name: string
  readonly table: string
  /** Where it is made; the account is there already. */
  readonly made?: readonly [path: string, body: Record<string, unknown>]
  /** Where it is read, of what the account has. */
  readonly path?: string
  /** A field that text may be written to, and two texts. */
  readonly field: string
  readonly texts: readonly [string, string]
}

const goal = { title: "Learn", measure: "hours", target: 10, start_date: "2026-01-05", end_date: "2026-03-29" }

const nouns: ReadonlyArray<Noun> = [
  { name: "project", table: "projects", made: ["/v1/projects", { name: "P" }], field: "name", texts: ["one", "two"] },
  { name: "tag", table: "tags", made: ["/v1/tags", { name: "kubernetes" }], field: "name", texts: ["helm", "nomad"] },
  { name: "goal", table: "goals", made: ["/v1/goals", goal], field: "title", texts: ["one", "two"] },
  { name: "team", table: "organizations", made: ["/v1/teams", { name: "T" }], field: "name", texts: ["one", "two"] },
  { name: "profile", table: "users", path: "/v1/users/profile", field: "first_name", texts: ["Augusta", "Annabella"] },
  { name: "preferences", table: "users", path: "/v1/users/preferences", field: "locale", texts: ["de-DE", "pt-BR"] }
]

/** What it is read as, and where. */
const present = Effect.fnUntraced(function*(who: Somebody, { made, path }: Noun) {
  const at = made === undefined ? path ?? "" : (yield* who.post(...made)).headers["location"] ?? ""
  const read = yield* who.get(at)
  assert.strictEqual(read.status, 200)
  return { at, body: Object(read.body), etag: read.headers["etag"] ?? "" }
})

const changing = Effect.fnUntraced(function*(who: Somebody, path: string) {
  const { ask } = yield* TestApi
  return {
    read: (known: string) => ask("GET", path, { token: who.token, headers: { "if-none-match": known } }),
    put: (body: unknown, seen: string) => ask("PUT", path, { token: who.token, body, headers: { "if-match": seen } }),
    remove: (seen: string) => ask("DELETE", path, { token: who.token, headers: { "if-match": seen } })
  }
})

/** Sessions of the database that wait for a lock. */
const waiting = Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  return (yield* sql`SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`).length
})

layer(wholeApi(), { excludeTestServices: true, timeout: "60 seconds" })("the entity tag", (it) => {
  for (const noun of nouns) {
    it.effect(`of ${noun.name} stays while nothing changes, and says when there is nothing new`, () => Effect.gen(function*() {
      const ada = yield* somebody()
      const { at, body, etag } = yield* present(ada, noun)
      assert.strictEqual(etag, `"${body.etag}"`)
      const { put, read } = yield* changing(ada, at)
      for (const header of [etag, `W/${etag}`, `"other", ${etag}`, "*"]) {
        const known = yield* read(header)
        assert.deepStrictEqual([known.status, known.text, known.headers["etag"]], [304, "", etag], header)
      }
      const changed = yield* put({ ...body, [noun.field]: noun.texts[0] }, etag)
      assert.strictEqual(changed.status, 200, changed.text)
      assert.notStrictEqual(changed.headers["etag"], etag)
      const read200 = yield* read(etag)
      assert.deepStrictEqual([read200.status, read200.headers["etag"], read200.at(noun.field)], [200, changed.headers["etag"], noun.texts[0]])
    }))

    it.effect(`of ${noun.name} keeps a change from what the caller has not seen`, () => Effect.gen(function*() {
      const ada = yield* somebody()
      const { at, body, etag } = yield* present(ada, noun)
      const { put, read, remove } = yield* changing(ada, at)
      const changed = yield* ada.put(at, { ...body, [noun.field]: noun.texts[0] })
      for (const header of [etag, `W/${changed.headers["etag"]}`]) {
        const late = yield* put({ ...body, [noun.field]: noun.texts[1] }, header)
        assert.deepStrictEqual([late.status, late.at("code"), late.error], [412, "stale_etag", `if-match: the ${noun.name} has changed since; read it again`])
        if (noun.made !== undefined) assert.strictEqual((yield* remove(header)).status, 412)
      }
      assert.strictEqual((yield* ada.get(at)).at(noun.field), noun.texts[0])
      assert.strictEqual((yield* put(body, "unquoted")).error, "if-match: must be * or entity tags in double quotes")
      const again = yield* put({ ...body, [noun.field]: noun.texts[1] }, "*")
      assert.strictEqual(again.status, 200)
      if (noun.made === undefined) return
      assert.strictEqual((yield* remove(`"x", ${again.headers["etag"]}`)).status, 204)
      assert.strictEqual((yield* read("*")).status, 404)
      assert.strictEqual((yield* put(body, "*")).status, 404)
    }))

    it.effect(`of ${noun.name} lets one of two writers through who come while a third one has it locked`, () => Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      const ada = yield* somebody()
      const { at, body, etag } = yield* present(ada, noun)
      const { put } = yield* changing(ada, at)
      const id = noun.table === "users" ? ada.id : String(body.id)
      const writers = yield* sql.withTransaction(Effect.gen(function*() {
        yield* sql`SELECT 1 FROM ${sql.literal(noun.table)} WHERE id = ${id}::uuid FOR UPDATE`
        const writers = yield* Effect.forkChild(Effect.all(noun.texts.map((text) => put({ ...body, [noun.field]: text }, etag)), { concurrency: 2 }))
        yield* waiting.pipe(Effect.repeat({ until: (count) => count === 2, schedule: Schedule.spaced("20 millis") }), Effect.timeout("20 seconds"))
        return writers
      }))
      const answers = yield* Fiber.join(writers)
      assert.deepStrictEqual(answers.map(({ status }) => status).sort(), [200, 412])
      const kept = answers.findIndex(({ status }) => status === 200)
      assert.strictEqual((yield* ada.get(at)).at(noun.field), noun.texts[kept])
    }))
  }

  it.effect("of one user says nothing of another's: a member's tag of a team is not the admin's", () => Effect.gen(function*() {
    const [ada, eve] = [yield* somebody(), yield* somebody()]
    const team = String((yield* ada.post("/v1/teams", { name: "T" })).at("id"))
    const alone = (yield* ada.get(`/v1/teams/${team}`)).headers["etag"]
    const invitation = yield* ada.post(`/v1/teams/${team}/invitations`, { email: eve.email })
    const joined = yield* eve.post("/v1/invitations/accept", { token: invitation.at("token") })
    const [hers, eves] = [yield* ada.get(`/v1/teams/${team}`), yield* eve.get(`/v1/teams/${team}`)]
    assert.strictEqual(joined.at("etag"), eves.at("etag"))
    assert.lengthOf([...new Set([alone, hers.headers["etag"], eves.headers["etag"]])], 3)
  }))

  it.effect("is asked for over RPC by the same name, and fails for the same reason", () => Effect.gen(function*() {
    const ada = yield* somebody()
    const { address } = yield* HttpServer.HttpServer
    const url = `http://127.0.0.1:${"port" in address ? address.port : 0}`
    const context = yield* Layer.build(EngLogClient.layer({ url, auth: Redacted.make(ada.token), transport: "http" }))
    const client = yield* Effect.provide(EngLogClient, context)
    const stale = { reason: "precondition_failed", code: "stale_etag" } as const
    const if_match = "something-else"

    const project = yield* client.CreateProject({ name: "P", status: "active" })
    const renamed = yield* client.UpdateProject({ id: project.id, project: { name: "Q", status: "active" }, if_match: project.etag })
    assert.deepInclude(yield* Effect.flip(client.UpdateProject({ id: project.id, project: { name: "R", status: "active" }, if_match: project.etag })), stale)
    assert.deepInclude(yield* Effect.flip(client.DeleteProject({ id: project.id, if_match })), stale)
    yield* client.DeleteProject({ id: project.id, if_match: renamed.etag })

    const tag = yield* client.CreateTag({ name: "helm" })
    assert.deepInclude(yield* Effect.flip(client.UpdateTag({ id: tag.id, tag: { name: "nomad" }, if_match })), stale)
    assert.deepInclude(yield* Effect.flip(client.DeleteTag({ id: tag.id, if_match })), stale)
    yield* client.DeleteTag({ id: tag.id, if_match: tag.etag })

    const made = yield* client.CreateGoal({ ...goal, measure: "hours" })
    assert.deepInclude(yield* Effect.flip(client.UpdateGoal({ id: made.id, goal: { ...goal, measure: "hours" }, if_match })), stale)
    assert.deepInclude(yield* Effect.flip(client.DeleteGoal({ id: made.id, if_match })), stale)
    yield* client.DeleteGoal({ id: made.id, if_match: made.etag })

    const team = yield* client.CreateTeam({ name: "T" })
    assert.deepInclude(yield* Effect.flip(client.UpdateTeam({ id: team.id, team: { name: "U" }, if_match })), stale)
    assert.deepInclude(yield* Effect.flip(client.DeleteTeam({ id: team.id, if_match })), stale)
    yield* client.DeleteTeam({ id: team.id, if_match: team.etag })

    const profile = yield* client.GetProfile()
    const person = { first_name: "Augusta", last_name: "King" }
    assert.deepInclude(yield* Effect.flip(client.UpdateProfile({ ...person, if_match })), stale)
    assert.deepInclude(yield* client.UpdateProfile({ ...person, if_match: profile.etag }), person)
    const preferences = yield* client.GetPreferences()
    assert.deepInclude(yield* Effect.flip(client.UpdatePreferences({ ...preferences, locale: "de-DE", if_match })), stale)
    assert.deepInclude(yield* client.UpdatePreferences({ ...preferences, locale: "de-DE", if_match: preferences.etag }), { locale: "de-DE" })
  }))
})

import { assert, layer } from "@effect/vitest"
import { UserId } from "@englog/domain/Ids"
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

  /** A team of two, with a project of it. */
  const team = Effect.gen(function*() {
    const [ada, eve] = [yield* somebody(), yield* somebody()]
    const id = String((yield* ada.post("/v1/teams", { name: "T" })).at("id"))
    const invitation = yield* ada.post(`/v1/teams/${id}/invitations`, { email: eve.email })
    yield* eve.post("/v1/invitations/accept", { token: invitation.at("token") })
    const project = String((yield* ada.post("/v1/projects", { name: "P", team_id: id })).at("id"))
    return { ada, eve, project, member: `/v1/teams/${id}/members/${eve.id}` }
  })

  const chosen = [
    { noun: "member", of: ({ ada, member }: Effect.Success<typeof team>) => ({ who: ada, at: member, lock: "organizations" }), field: "role", texts: ["lead", "admin"] },
    { noun: "sharing", of: ({ eve, project }: Effect.Success<typeof team>) => ({ who: eve, at: `/v1/projects/${project}/sharing`, lock: "users" }), field: "level", texts: ["figures", "entries"] }
  ] as const

  for (const { field, noun, of, texts } of chosen) {
    it.effect(`of a team's ${noun} keeps a change from what the caller has not seen, and lets one of two writers through`, () => Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      const { at, lock, who } = of(yield* team)
      const { put, read } = yield* changing(who, at)
      const first = yield* who.get(at)
      const etag = first.headers["etag"] ?? ""
      assert.deepStrictEqual([first.status, etag], [200, `"${String(first.at("etag"))}"`])
      assert.deepStrictEqual([(yield* read(etag)).status, (yield* read("\"other\"")).status], [304, 200])
      const changed = yield* put({ ...Object(first.body), [field]: texts[0] }, etag)
      assert.deepStrictEqual([changed.status, changed.at(field)], [200, texts[0]], changed.text)
      assert.notStrictEqual(changed.headers["etag"], etag)
      const late = yield* put({ ...Object(first.body), [field]: texts[1] }, etag)
      assert.deepStrictEqual([late.status, late.at("code"), late.error], [412, "stale_etag", `if-match: the ${noun} has changed since; read it again`])
      assert.strictEqual((yield* who.get(at)).at(field), texts[0])
      // The other text, and back to the first one: each of them is another state than the one that both have seen.
      const writers = yield* sql.withTransaction(Effect.gen(function*() {
        yield* sql`SELECT 1 FROM ${sql.literal(lock)} FOR UPDATE`
        const writers = yield* Effect.forkChild(Effect.forEach([texts[1], first.at(field)], (text) =>
          put({ ...Object(first.body), [field]: text }, changed.headers["etag"] ?? ""), { concurrency: 2 }))
        yield* waiting.pipe(Effect.repeat({ until: (count) => count === 2, schedule: Schedule.spaced("20 millis") }), Effect.timeout("20 seconds"))
        return writers
      }))
      assert.deepStrictEqual((yield* Fiber.join(writers)).map(({ status }) => status).sort(), [200, 412])
    }))
  }

  it.effect("of a member keeps one who was promoted meanwhile from being removed", () => Effect.gen(function*() {
    const { ada, member } = yield* team
    const seen = (yield* ada.get(member)).headers["etag"] ?? ""
    yield* ada.put(member, { role: "lead" })
    const { remove } = yield* changing(ada, member)
    assert.strictEqual((yield* remove(seen)).status, 412)
    assert.strictEqual((yield* remove((yield* ada.get(member)).headers["etag"] ?? "")).status, 204)
    assert.strictEqual((yield* ada.get(member)).status, 404)
  }))

  it.effect("of a project guards its being the default one, which is part of it", () => Effect.gen(function*() {
    const { eve, project } = yield* team
    const at = `/v1/projects/${project}`
    const { put, remove } = yield* changing(eve, `${at}/default`)
    const seen = (yield* eve.get(at)).headers["etag"] ?? ""
    const made = yield* put(undefined, seen)
    assert.deepStrictEqual([made.status, made.at("is_default"), made.headers["etag"]], [200, true, `"${String(made.at("etag"))}"`])
    assert.notStrictEqual(made.headers["etag"], seen)
    for (const late of [yield* put(undefined, seen), yield* remove(seen)]) {
      assert.deepStrictEqual([late.status, late.error], [412, "if-match: the project has changed since; read it again"])
    }
    assert.strictEqual((yield* eve.get(at)).at("is_default"), true)
    assert.strictEqual((yield* remove(made.headers["etag"] ?? "")).status, 204)
    assert.strictEqual((yield* eve.get(at)).headers["etag"], seen, "what is shown is what was shown before")
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

    const other = yield* client.CreateProject({ name: "Other", status: "active" })
    assert.deepInclude(yield* Effect.flip(client.MakeDefaultProject({ id: other.id, if_match })), stale)
    const usual = yield* client.MakeDefaultProject({ id: other.id, if_match: other.etag })
    assert.deepInclude(yield* Effect.flip(client.EndDefaultProject({ id: other.id, if_match: other.etag })), stale)
    yield* client.EndDefaultProject({ id: other.id, if_match: usual.etag })

    const together = yield* client.CreateTeam({ name: "Together" })
    const ours = yield* client.CreateProject({ name: "Ours", status: "active", team_id: together.id })
    const sharing = yield* client.GetProjectSharing({ id: ours.id })
    assert.deepInclude(yield* Effect.flip(client.ShareProject({ id: ours.id, sharing: { level: "entries" }, if_match })), stale)
    assert.strictEqual((yield* client.ShareProject({ id: ours.id, sharing: { level: "entries" }, if_match: sharing.etag })).level, "entries")
    const member = yield* client.GetTeamMember({ id: together.id, user_id: UserId.make(ada.id) })
    assert.deepInclude(yield* Effect.flip(client.SetTeamRole({ id: together.id, user_id: member.user_id, role: "admin", if_match })), stale)
    assert.strictEqual((yield* client.SetTeamRole({ id: together.id, user_id: member.user_id, role: "admin", if_match: member.etag })).role, "admin")
    assert.deepInclude(yield* Effect.flip(client.RemoveTeamMember({ id: together.id, user_id: member.user_id, if_match })), stale)

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

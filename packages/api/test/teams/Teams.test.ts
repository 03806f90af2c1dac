import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { randomUUID } from "node:crypto"
import { InvitationRepo } from "../../src/teams/InvitationRepo.ts"
import { TestApi } from "../http/TestApi.ts"
import { each, joins, type Member, member } from "../support/Members.ts"

const invite = (admin: Member, team: string, email: string, role = "member") => admin.post(`/v1/teams/${team}/invitations`, { email, role })
const told = ({ error, status }: { readonly status: number; readonly error: string }) => [status, error]

/** A team with an admin, a lead and a member. */
const trio = Effect.fnUntraced(function*(name: string) {
  const [admin, lead, plain] = [yield* member(`${name}-admin@example.com`), yield* member(`${name}-lead@example.com`), yield* member(`${name}-member@example.com`)]
  const team = yield* admin.team({ name })
  yield* joins(lead, admin, team, "lead")
  yield* joins(plain, admin, team)
  return { admin, lead, plain, team, path: `/v1/teams/${team}` }
})

layer(TestApi.layer, { excludeTestServices: true, timeout: "60 seconds" })("a team", (it) => {
  it.effect("is created by its first admin, read, replaced and listed; its description is encrypted", () => Effect.gen(function*() {
    const ada = yield* member("teams@example.com")
    const created = yield* ada.post("/v1/teams", { name: " Payments ", description: "Money" })
    assert.strictEqual(created.status, 201)
    assert.deepInclude(created.body, { name: "Payments", description: "Money", role: "admin", member_count: 1 })
    const path = created.headers["location"] ?? ""
    assert.deepStrictEqual((yield* ada.get(path)).body, created.body)
    const rows = yield* SqlClient.SqlClient.use((sql) => sql`SELECT description FROM organizations WHERE name = 'Payments'`)
    assert.match(String(rows[0]?.["description"]), /^v2:/)
    assert.strictEqual((yield* ada.put(path, { ...Object(created.body), role: "member" })).at("role"), "admin")
    assert.deepInclude((yield* ada.put(path, { name: "Money" })).body, { name: "Money", description: null })
    const [two, three] = [yield* ada.team(), yield* ada.team()]
    const first = yield* ada.get("/v1/teams?limit=2")
    assert.deepStrictEqual(each(first, "id"), [three, two])
    const second = yield* ada.get(`/v1/teams?limit=2&cursor=${String(first.at("next_cursor"))}`)
    assert.deepStrictEqual([each(second, "name"), second.at("next_cursor")], [["Money"], null])
  }))

  it.effect("does not exist for those who do not belong to it, nor is a personal organization one", () => Effect.gen(function*() {
    const { admin, path, team } = yield* trio("alone")
    const eve = yield* member("alone-eve@example.com")
    const me = yield* eve.get("/v1/auth/me")
    const project = yield* admin.project({ team_id: team })
    for (const [id, who] of [[team, eve], [String(me.at("organization_id")), eve], [randomUUID(), admin]] as const) {
      const at = `/v1/teams/${id}`
      const answers = [
        yield* who.get(at), yield* who.put(at, { name: "X" }), yield* who.remove(at), yield* who.get(`${at}/members`),
        yield* who.put(`${at}/members/${admin.id}`, { role: "member" }), yield* who.remove(`${at}/members/${who.id}`),
        yield* who.remove(`${at}/members/${randomUUID()}`), yield* invite(who, id, "x@example.com"),
        yield* who.get(`${at}/invitations`), yield* who.remove(`${at}/invitations/${randomUUID()}`), yield* who.get(`${at}/entries`), yield* who.get(`${at}/stats`)
      ]
      assert.deepStrictEqual(answers.map(told), answers.map(() => [404, `you have no team ${id}`]))
      assert.deepStrictEqual(told(yield* who.post("/v1/projects", { name: "P", team_id: id })), [400, `team_id: you have no team ${id}`])
    }
    assert.strictEqual((yield* eve.get(`/v1/projects/${project}`)).status, 404)
    assert.deepStrictEqual(each(yield* eve.get("/v1/teams"), "id"), [])
    assert.strictEqual((yield* admin.get(path)).at("member_count"), 3)
  }))

  it.effect("lists its members in the order in which they joined", () => Effect.gen(function*() {
    const { admin, lead, path, plain } = yield* trio("members")
    const first = yield* plain.get(`${path}/members?limit=2`)
    assert.deepStrictEqual(each(first, "user_id"), [admin.id, lead.id])
    assert.deepStrictEqual(each(first, "role"), ["admin", "lead"])
    assert.deepStrictEqual(each(first, "email"), [admin.email, lead.email])
    const second = yield* plain.get(`${path}/members?limit=2&cursor=${String(first.at("next_cursor"))}`)
    assert.deepStrictEqual([each(second, "user_id"), second.at("next_cursor")], [[plain.id], null])
  }))

  it.effect("is changed by its admins only, and its projects by them and its leads", () => Effect.gen(function*() {
    const { admin, lead, path, plain, team } = yield* trio("roles")
    const onlyAdmins = [403, "only an admin of the team may do this"]
    for (const who of [lead, plain]) {
      const answers = [
        yield* who.put(path, { name: "Mine" }), yield* who.remove(path), yield* who.put(`${path}/members/${who.id}`, { role: "admin" }),
        yield* who.remove(`${path}/members/${admin.id}`), yield* invite(who, team, "x@example.com"), yield* who.get(`${path}/invitations`),
        yield* who.remove(`${path}/invitations/${randomUUID()}`)
      ]
      assert.deepStrictEqual(answers.map(told), answers.map(() => onlyAdmins))
    }
    const project = yield* lead.project({ team_id: team, name: "Ours" })
    assert.deepInclude((yield* plain.get(`/v1/projects/${project}`)).body, { name: "Ours", team_id: team, organization_id: team })
    assert.deepStrictEqual(told(yield* plain.post("/v1/projects", { name: "P", team_id: team })), [403, "team_id: only leads and admins of the team may add projects"])
    for (const answer of [
      yield* plain.put(`/v1/projects/${project}`, { name: "Mine" }), yield* plain.remove(`/v1/projects/${project}`), yield* plain.post(`/v1/projects/${project}/archive`)
    ]) assert.deepStrictEqual(told(answer), [403, "only leads and admins of the team may change its projects"])
    assert.strictEqual((yield* plain.post("/v1/logs", { title: "t", type: "code", start_time: "2026-01-05T09:00:00Z", end_time: "2026-01-05T10:00:00Z", project_id: project })).status, 201)
    assert.strictEqual((yield* admin.put(`/v1/projects/${project}`, { name: "Renamed" })).at("team_id"), team)
    assert.deepStrictEqual(told(yield* admin.put(`/v1/projects/${project}`, { name: "P", team_id: null })), [409, "team_id: a team's project stays the team's"])
    const own = yield* lead.project()
    assert.strictEqual((yield* lead.put(`/v1/projects/${own}`, { name: "Given", team_id: team })).at("team_id"), team)
    assert.strictEqual((yield* plain.get(`/v1/projects/${own}`)).at("name"), "Given")
  }))

  it.effect("always has an admin", () => Effect.gen(function*() {
    const { admin, lead, path, plain } = yield* trio("last")
    const last = [409, "this is the team's last admin; make somebody else an admin first"]
    assert.deepStrictEqual(told(yield* admin.remove(`${path}/members/${admin.id}`)), last)
    assert.deepStrictEqual(told(yield* admin.put(`${path}/members/${admin.id}`, { role: "lead" })), last)
    assert.strictEqual((yield* admin.put(`${path}/members/${lead.id}`, { role: "admin" })).at("role"), "admin")
    const answers = yield* Effect.all([admin.remove(`${path}/members/${admin.id}`), lead.remove(`${path}/members/${lead.id}`)], { concurrency: 2 })
    assert.deepStrictEqual(answers.map(({ status }) => status).sort(), [204, 409])
    const admins = yield* plain.get(`${path}/members`)
    assert.deepStrictEqual([...each(admins, "role")].sort(), ["admin", "member"])
    assert.strictEqual((yield* plain.remove(`${path}/members/${plain.id}`)).status, 204)
    assert.strictEqual((yield* plain.get(path)).status, 404)
    const left = answers[0].status === 409 ? admin : lead
    assert.deepStrictEqual(told(yield* left.remove(`${path}/members/${left.id}`)), [409, "this is the team's last member; delete the team instead"])
    assert.deepStrictEqual(told(yield* left.remove(`${path}/members/${plain.id}`)), [404, `the team has no member ${plain.id}`])
  }))

  it.effect("is deleted by its last member, who gets its projects, and everybody keeps their entries", () => Effect.gen(function*() {
    const { admin, lead, path, plain, team } = yield* trio("deleted")
    const project_id = yield* admin.project({ team_id: team })
    yield* admin.put(`/v1/projects/${project_id}/sharing`, { level: "entries" })
    const entry = yield* plain.at("2026-01-05T09:00:00Z", 30, { project_id })
    assert.deepStrictEqual(told(yield* admin.remove(path)), [409, "the team has other members; remove them first"])
    yield* admin.remove(`${path}/members/${lead.id}`)
    yield* admin.remove(`${path}/members/${plain.id}`)
    assert.strictEqual((yield* admin.remove(path)).status, 204)
    assert.strictEqual((yield* admin.get(path)).status, 404)
    assert.strictEqual((yield* admin.get(`/v1/projects/${project_id}`)).at("team_id"), null)
    const read = yield* plain.get(`/v1/logs/${entry}`)
    assert.strictEqual(read.status, 200)
    assert.strictEqual((yield* plain.get(`/v1/projects/${project_id}`)).status, 404)
    assert.strictEqual((yield* plain.put(`/v1/logs/${entry}`, read.body)).status, 200)
    assert.strictEqual((yield* plain.post("/v1/logs", { ...Object(read.body) })).error, `project_id: you have no project ${project_id}`)
  }))
})

layer(TestApi.layer, { excludeTestServices: true, timeout: "60 seconds" })("an invitation", (it) => {
  it.effect("is told once, stored without address and token, and makes a member of whoever it is for, once", () => Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const [ada, bob, eve] = [yield* member("invite-ada@example.com"), yield* member("invite-bob@example.com"), yield* member("invite-eve@example.com")]
    const team = yield* ada.team({ name: "Guests" })
    const invited = yield* invite(ada, team, " Invite-Bob@Example.com ", "lead")
    assert.strictEqual(invited.status, 201)
    assert.deepInclude(invited.body, { team_id: team, email: bob.email, role: "lead", invited_by: ada.id, accept_path: "/v1/invitations/accept" })
    const token = String(invited.at("token"))
    const stored = JSON.stringify(yield* sql`SELECT i.*, encode(token_hash, 'escape') AS t, encode(email_digest, 'escape') AS d FROM team_invitations i`)
    assert.notInclude(stored, token)
    assert.notInclude(stored, "bob")
    const open = yield* ada.get(`/v1/teams/${team}/invitations`)
    assert.deepStrictEqual([each(open, "email"), each(open, "token")], [[bob.email], [undefined]])
    assert.deepStrictEqual(told(yield* eve.post("/v1/invitations/accept", { token })), [403, "this invitation is for another e-mail address than that of your account"])
    assert.deepStrictEqual(told(yield* eve.post("/v1/invitations/decline", { token })), [403, "this invitation is for another e-mail address than that of your account"])
    const answers = yield* Effect.all(Array.from({ length: 4 }, () => bob.post("/v1/invitations/accept", { token })), { concurrency: "unbounded" })
    assert.deepStrictEqual(answers.map(({ status }) => status).sort(), [200, 404, 404, 404])
    assert.deepInclude((yield* bob.get(`/v1/teams/${team}`)).body, { name: "Guests", role: "lead", member_count: 2 })
    assert.deepStrictEqual(each(yield* ada.get(`/v1/teams/${team}/invitations`), "id"), [])
    assert.deepStrictEqual(told(yield* invite(ada, team, bob.email)), [409, "email: somebody with this address is a member already"])
  }))

  it.effect("ends when it is withdrawn, declined, replaced or a week old", () => Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const [ada, bob] = [yield* member("ends-ada@example.com"), yield* member("ends-bob@example.com")]
    const team = yield* ada.team()
    const over = [404, "token: there is no such invitation, or it was used, withdrawn or has expired"]
    const accept = (token: unknown) => bob.post("/v1/invitations/accept", { token })
    const withdrawn = yield* invite(ada, team, bob.email)
    assert.strictEqual((yield* ada.remove(`/v1/teams/${team}/invitations/${String(withdrawn.at("id"))}`)).status, 204)
    assert.deepStrictEqual(told(yield* accept(withdrawn.at("token"))), over)
    assert.strictEqual((yield* ada.remove(`/v1/teams/${team}/invitations/${String(withdrawn.at("id"))}`)).status, 404)
    const declined = yield* invite(ada, team, bob.email)
    assert.strictEqual((yield* bob.post("/v1/invitations/decline", { token: declined.at("token") })).status, 204)
    assert.deepStrictEqual(told(yield* accept(declined.at("token"))), over)
    const replaced = yield* invite(ada, team, bob.email)
    const old = yield* invite(ada, team, bob.email)
    assert.deepStrictEqual(told(yield* accept(replaced.at("token"))), over)
    const life = Date.parse(String(old.at("expires_at"))) - Date.parse(String(old.at("created_at")))
    assert.strictEqual(life, 7 * 86_400_000)
    yield* sql`UPDATE team_invitations SET expires_at = now()`
    assert.deepStrictEqual(told(yield* accept(old.at("token"))), over)
    assert.deepStrictEqual(each(yield* ada.get(`/v1/teams/${team}/invitations`), "id"), [])
    assert.strictEqual(yield* (yield* InvitationRepo).removeExpired, 1)
    for (const token of ["", "x", "%"]) assert.include([400, 404], (yield* accept(token)).status)
    assert.strictEqual((yield* invite(ada, team, "no address")).error, "email: must be an e-mail address")
  }))

  it.effect("comes page by page, newest first", () => Effect.gen(function*() {
    const ada = yield* member("page-invitations@example.com")
    const team = yield* ada.team()
    for (const name of ["one", "two", "three"]) yield* invite(ada, team, `${name}@example.org`)
    const first = yield* ada.get(`/v1/teams/${team}/invitations?limit=2`)
    assert.deepStrictEqual(each(first, "email"), ["three@example.org", "two@example.org"])
    const second = yield* ada.get(`/v1/teams/${team}/invitations?limit=2&cursor=${String(first.at("next_cursor"))}`)
    assert.deepStrictEqual([each(second, "email"), second.at("next_cursor")], [["one@example.org"], null])
  }))
})

layer(TestApi.layer, { excludeTestServices: true, timeout: "60 seconds" })("what a team sees", (it) => {
  it.effect("is what each member shares, at the level and from the moment on that they chose, and never a description", () => Effect.gen(function*() {
    const { admin, lead, path, plain, team } = yield* trio("view")
    const [project_id, other] = [yield* admin.project({ team_id: team }), yield* admin.project({ team_id: team })]
    const early = yield* plain.at("2026-01-05T09:00:00Z", 30, { project_id, title: "early", tags: ["b", "a"], description: "between us" })
    const late = yield* plain.at("2026-01-06T09:00:00Z", 60, { project_id, title: "late" })
    yield* plain.at("2026-01-06T10:00:00Z", 15, { project_id: other, title: "elsewhere" })
    yield* plain.at("2026-01-06T11:00:00Z", 15, { title: "private" })
    yield* lead.at("2026-01-06T12:00:00Z", 45, { project_id, title: "lead's" })
    const seen = (query = "") => Effect.map(admin.get(`${path}/entries${query}`), (answer) => each(answer, "id"))
    const share = (who: Member, sharing: Record<string, unknown>) => who.put(`/v1/projects/${project_id}/sharing`, sharing)
    assert.deepInclude((yield* plain.get(`/v1/projects/${project_id}/sharing`)).body, { project_id, level: "none", since: null })
    assert.deepStrictEqual(yield* seen(), [])
    assert.deepInclude((yield* admin.get(`${path}/stats`)).body, { entries: 0, hours: 0, by_member: [] })

    // Without saying since when: from now on.
    assert.isString((yield* share(plain, { level: "entries" })).at("since"))
    assert.deepStrictEqual(yield* seen(), [])
    assert.deepInclude((yield* share(plain, { level: "entries", since: "2026-01-06T00:00:00Z" })).body, { project_id, level: "entries", since: "2026-01-06T00:00:00.000Z" })
    assert.deepStrictEqual(yield* seen(), [late])
    assert.strictEqual((yield* share(plain, { level: "figures" })).at("since"), "2026-01-06T00:00:00.000Z")
    assert.deepStrictEqual(yield* seen(), [])
    assert.strictEqual((yield* admin.get(`${path}/stats`)).at("minutes"), 60)
    yield* share(plain, { level: "entries", since: null })
    yield* share(lead, { level: "figures", since: null })
    assert.deepStrictEqual(yield* seen(), [late, early])
    const listed = yield* admin.get(`${path}/entries`)
    assert.deepStrictEqual(listed.at("items", 1), {
      id: early, user_id: plain.id, project_id, title: "early", type: "code", tags: ["b", "a"], start_time: "2026-01-05T09:00:00.000Z",
      end_time: "2026-01-05T09:30:00.000Z", duration_minutes: 30, value_rating: "medium", impact_level: "personal"
    })
    const stats = yield* admin.get(`${path}/stats`)
    assert.deepStrictEqual(stats.body, {
      team_id: team, entries: 3, minutes: 135, hours: 2.25,
      by_member: [{ user_id: plain.id, entries: 2, minutes: 90, hours: 1.5 }, { user_id: lead.id, entries: 1, minutes: 45, hours: 0.75 }],
      by_project: [{ project_id, entries: 3, minutes: 135, hours: 2.25 }],
      by_type: [{ type: "code", entries: 3, minutes: 135, hours: 2.25 }]
    })
    assert.deepStrictEqual(yield* seen("?limit=1"), [late])
    const page = yield* admin.get(`${path}/entries?limit=1`)
    assert.deepStrictEqual(yield* seen(`?limit=1&cursor=${String(page.at("next_cursor"))}`), [early])
    assert.deepStrictEqual(yield* seen(`?user_id=${lead.id}`), [])
    assert.deepStrictEqual(yield* seen(`?project_id=${other}`), [])
    assert.deepStrictEqual(yield* seen("?type=meeting"), [])
    assert.deepStrictEqual(yield* seen("?end_date=2026-01-05"), [early])
    assert.strictEqual((yield* admin.get(`/v1/logs/${late}`)).status, 404)

    yield* share(plain, { level: "none" })
    assert.deepStrictEqual(yield* seen(), [])
    assert.strictEqual((yield* admin.get(`${path}/stats`)).at("minutes"), 45)
  }))

  it.effect("goes by each author's own days", () => Effect.gen(function*() {
    const [ada, bob] = [yield* member("days-ada@example.com"), yield* member("days-bob@example.com", { timezone: "Pacific/Auckland" })]
    const team = yield* ada.team()
    yield* joins(bob, ada, team)
    const project_id = yield* ada.project({ team_id: team })
    for (const who of [ada, bob]) {
      yield* who.at("2026-01-04T12:00:00Z", 10, { project_id })
      yield* who.put(`/v1/projects/${project_id}/sharing`, { level: "entries", since: null })
    }
    const seen = (query: string) => Effect.map(ada.get(`/v1/teams/${team}/entries?${query}`), (answer) => each(answer, "user_id"))
    assert.deepStrictEqual(yield* seen("start_date=2026-01-04&end_date=2026-01-04"), [ada.id])
    assert.deepStrictEqual(yield* seen("start_date=2026-01-05"), [bob.id])
  }))

  it.effect("ends with the membership, and does not come back with it", () => Effect.gen(function*() {
    const { admin, path, plain, team } = yield* trio("leaving")
    const project_id = yield* admin.project({ team_id: team })
    const entry = yield* plain.at("2026-01-05T09:00:00Z", 30, { project_id })
    yield* plain.put(`/v1/projects/${project_id}/sharing`, { level: "entries", since: null })
    yield* plain.put(`/v1/projects/${project_id}/default`)
    assert.deepStrictEqual(each(yield* admin.get(`${path}/entries`), "id"), [entry])
    assert.strictEqual((yield* admin.remove(`${path}/members/${plain.id}`)).status, 204)
    assert.deepStrictEqual(each(yield* admin.get(`${path}/entries`), "id"), [])
    assert.strictEqual((yield* admin.get(`/v1/projects/${project_id}/stats`)).at("entries"), 0)
    assert.strictEqual((yield* plain.get(`/v1/logs/${yield* plain.at("2026-01-06T09:00:00Z")}`)).at("project_id"), null)
    yield* joins(plain, admin, team)
    assert.deepStrictEqual(each(yield* admin.get(`${path}/entries`), "id"), [])
  }))

  it.effect("is nothing of a project that is no team's", () => Effect.gen(function*() {
    const ada = yield* member("own-sharing@example.com")
    const answer = yield* ada.put(`/v1/projects/${yield* ada.project()}/sharing`, { level: "entries" })
    assert.deepStrictEqual(told(answer), [409, "this is no team's project: there is nobody to share it with"])
  }))
})

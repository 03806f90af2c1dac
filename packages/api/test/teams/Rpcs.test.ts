import { assert, layer } from "@effect/vitest"
import { GoalId, InvitationId, OrganizationId, ProjectId, TagId } from "@englog/domain/Ids"
import { EngLogClient } from "@englog/rpc/client/EngLogClient"
import { DateTime, Effect, Layer, Redacted } from "effect"
import { HttpServer } from "effect/http"
import { randomUUID } from "node:crypto"
import { register } from "../http/TestApi.ts"
import { wholeApi } from "../support/WholeApi.ts"

/** A client of somebody who has just registered. */
const clientOf = Effect.fnUntraced(function*(email: string, transport: "http" | "websocket") {
  const { id, token } = yield* register(email)
  const { address } = yield* HttpServer.HttpServer
  const url = `http://127.0.0.1:${"port" in address ? address.port : 0}`
  const context = yield* Layer.build(EngLogClient.layer({ url, auth: Redacted.make(token), transport }))
  return { id, client: yield* Effect.provide(EngLogClient, context) }
})

const entry = {
  title: "Ownership",
  type: "learning",
  start_time: DateTime.makeUnsafe("2026-03-03T09:00:00Z"),
  end_time: DateTime.makeUnsafe("2026-03-03T10:30:00Z"),
  value_rating: "high",
  impact_level: "personal"
} as const

layer(wholeApi(), { excludeTestServices: true, timeout: "60 seconds" })("over RPC", (it) => {
  it.effect("projects do what they do over REST, and fail for the same reasons", () => Effect.gen(function*() {
    const { client } = yield* clientOf("rpc-projects@example.com", "http")
    const { id } = yield* client.CreateProject({ name: "Billing", status: "active", color: "#1f77b4" })
    assert.strictEqual((yield* client.UpdateProject({ id, project: { name: "Bills", status: "active" } })).name, "Bills")
    assert.strictEqual((yield* client.MakeDefaultProject({ id })).is_default, true)
    assert.strictEqual((yield* client.CreateEntry({ ...entry, tags: ["rust"] })).project_id, id)
    yield* client.EndDefaultProject({ id })
    assert.deepInclude(yield* client.GetProjectStats({ id, period: { start_date: "2026-03-03" } }), { entries: 1, hours: 1.5 })
    assert.isNotNull((yield* client.ArchiveProject({ id })).archived_at)
    assert.deepStrictEqual((yield* client.ListProjects({ limit: 1 })).items, [])
    assert.strictEqual((yield* client.UnarchiveProject({ id })).archived_at, null)
    assert.deepStrictEqual((yield* client.ListProjects({ limit: 1 })).items.map((project) => project.id), [id])
    assert.strictEqual((yield* client.GetProjectSharing({ id })).level, "none")
    assert.deepInclude(yield* Effect.flip(client.ShareProject({ id, sharing: { level: "entries" } })), { reason: "conflict" })
    yield* client.DeleteProject({ id })
    assert.deepInclude(yield* Effect.flip(client.GetProject({ id })), { reason: "not_found", message: `you have no project ${id}` })
    assert.deepInclude(yield* Effect.flip(client.MakeDefaultProject({ id: ProjectId.make(randomUUID()) })), { reason: "not_found" })
  }))

  it.effect("tags do too", () => Effect.gen(function*() {
    const { client } = yield* clientOf("rpc-tags@example.com", "websocket")
    yield* client.CreateEntry({ ...entry, tags: ["rust", "rs"] })
    const { items } = yield* client.ListPopularTags({ limit: 5 })
    assert.deepStrictEqual(items.map(({ name }) => name), ["rs", "rust"])
    const [rs, rust] = items.map(({ id }) => id)
    const go = yield* client.CreateTag({ name: "go" })
    assert.strictEqual((yield* client.UpdateTag({ id: go.id, tag: { name: "golang", color: "#00add8" } })).name, "golang")
    assert.strictEqual((yield* client.GetTag({ id: go.id })).color, "#00add8")
    yield* client.DeleteTag({ id: go.id })
    assert.strictEqual((yield* client.MergeTag({ id: TagId.make(String(rs)), into: TagId.make(String(rust)) })).usage_count, 1)
    const shared = yield* client.ListTags({ predefined: "true", limit: 1 })
    assert.isNotNull(shared.next_cursor)
    for (const { id } of shared.items) assert.deepInclude(yield* Effect.flip(client.DeleteTag({ id })), { reason: "forbidden" })
  }))

  it.effect("teams do too", () => Effect.gen(function*() {
    const [ada, bob] = [yield* clientOf("rpc-ada@example.com", "http"), yield* clientOf("rpc-bob@example.com", "websocket")]
    const { id } = yield* ada.client.CreateTeam({ name: "Payments" })
    assert.strictEqual((yield* ada.client.UpdateTeam({ id, team: { name: "Money" } })).name, "Money")
    const first = yield* ada.client.InviteToTeam({ id, invitation: { email: "rpc-bob@example.com", role: "lead" } })
    assert.deepStrictEqual((yield* ada.client.ListTeamInvitations({ id, page: {} })).items.map((one) => one.id), [first.id])
    yield* bob.client.DeclineInvitation({ token: first.token })
    const second = yield* ada.client.InviteToTeam({ id, invitation: { email: "rpc-bob@example.com", role: "lead" } })
    assert.deepInclude(yield* Effect.flip(ada.client.AcceptInvitation({ token: second.token })), { reason: "forbidden" })
    assert.deepInclude(yield* bob.client.AcceptInvitation({ token: second.token }), { id, role: "lead", member_count: 2 })
    assert.deepInclude(yield* Effect.flip(ada.client.WithdrawInvitation({ id, invitation_id: InvitationId.make(randomUUID()) })), { reason: "not_found" })
    const project = yield* bob.client.CreateProject({ name: "Ours", status: "active", team_id: id })
    const recorded = yield* bob.client.CreateEntry({ ...entry, tags: [], project_id: project.id })
    assert.deepStrictEqual((yield* ada.client.ListTeamEntries({ id, query: {} })).items, [])
    yield* bob.client.ShareProject({ id: project.id, sharing: { level: "entries", since: null } })
    assert.deepStrictEqual((yield* ada.client.ListTeamEntries({ id, query: { user_id: bob.id, limit: 1 } })).items.map((one) => one.id), [recorded.id])
    assert.deepInclude(yield* ada.client.GetTeamStats({ id, query: {} }), { entries: 1, hours: 1.5 })
    assert.strictEqual((yield* ada.client.SetTeamRole({ id, user_id: bob.id, role: "member" })).role, "member")
    assert.deepInclude(yield* Effect.flip(bob.client.DeleteTeam({ id })), { reason: "forbidden" })
    assert.deepStrictEqual((yield* bob.client.ListTeamMembers({ id, page: { limit: 2 } })).items.map(({ user_id }) => user_id), [ada.id, bob.id])
    yield* bob.client.RemoveTeamMember({ id, user_id: bob.id })
    assert.deepStrictEqual((yield* bob.client.ListTeams({})).items, [])
    yield* ada.client.DeleteTeam({ id })
    assert.deepInclude(yield* Effect.flip(ada.client.GetTeam({ id })), { reason: "not_found" })
    assert.deepInclude(yield* Effect.flip(ada.client.GetTeam({ id: OrganizationId.make(randomUUID()) })), { reason: "not_found" })
  }))

  it.effect("goals do too", () => Effect.gen(function*() {
    const { client } = yield* clientOf("rpc-goals@example.com", "http")
    yield* client.CreateEntry({ ...entry, tags: ["rust"] })
    const goal = { title: "Learn", measure: "hours", target: 2, start_date: "2026-03-02", end_date: "2026-03-08", tags: ["rust"] } as const
    const { id, progress } = yield* client.CreateGoal(goal)
    assert.deepInclude(progress, { value: 1.5, percent: 75, status: progress.status })
    assert.strictEqual((yield* client.UpdateGoal({ id, goal: { ...goal, target: 1.5 } })).progress.status, "achieved")
    assert.deepStrictEqual((yield* client.ListGoals({ active_on: "2026-03-05", limit: 1 })).items.map((one) => one.id), [id])
    assert.strictEqual((yield* client.GetGoal({ id })).target, 1.5)
    assert.deepStrictEqual((yield* client.GetGoalHistory({ id })).weeks, [
      { start_date: "2026-03-02", end_date: "2026-03-08", value: 1.5, cumulative: 1.5, percent: 100 }
    ])
    yield* client.DeleteGoal({ id })
    assert.deepInclude(yield* Effect.flip(client.GetGoal({ id: GoalId.make(randomUUID()) })), { reason: "not_found" })
  }))
})

/** Notifications through a real API and a real worker: told to every connected client at once, and to those who come back later. */
import { assert, layer } from "@effect/vitest"
import { Notification } from "@englog/domain/tasks/Notification"
import { EngLogClient } from "@englog/rpc/client/EngLogClient"
import { Context, Deferred, Effect, Fiber, Layer, Redacted, Ref, Schema, Stream } from "effect"
import { HttpClient, HttpClientRequest } from "effect/http"
import { grantAdmin } from "../src/Administrator.ts"
import { Installation } from "../src/Installation.ts"
import { password, register } from "../src/Person.ts"
import { Running } from "../src/Running.ts"

const world = Running.layer()

let people = 0

/** Somebody with the typed client. */
const person = Effect.fnUntraced(function*(more: { readonly admin?: boolean; readonly transport?: "websocket" } = {}) {
  const { url } = yield* Running
  const { dataDir } = yield* Installation
  const email = `told-${++people}@example.com`
  const { token, user_id } = yield* register(url, email)
  if (more.admin === true) yield* grantAdmin(dataDir, email)
  const client = yield* Layer.build(EngLogClient.layer({ url, transport: more.transport ?? "http", auth: { email, password: Redacted.make(password) } }))
  return { token, user_id, email, englog: Context.get(client, EngLogClient) }
})

/** Completes once the number of something seen is reached. */
const sink = Effect.fnUntraced(function*<A, R>(stream: Stream.Stream<A, unknown, R>, count: number) {
  const seen = yield* Ref.make<ReadonlyArray<A>>([])
  const enough = yield* Deferred.make<ReadonlyArray<A>>()
  const fiber = yield* Stream.runForEach(stream, (one) =>
    Effect.flatMap(Ref.updateAndGet(seen, (all) => [...all, one]), (all) => all.length >= count ? Deferred.succeed(enough, all) : Effect.void)
  ).pipe(Effect.forkScoped)
  return { all: Deferred.await(enough), stop: Fiber.interrupt(fiber) }
})

const SseData = Schema.fromJsonString(Schema.Struct({ seq: Schema.Int, title: Schema.String }))

/** Ids and titles of a raw SSE stream. */
const sse = (url: string, token: string, after?: string) =>
  Stream.unwrap(HttpClient.execute(HttpClientRequest.get(`${url}/v1/notifications/stream`, {
    headers: { authorization: `Bearer ${token}`, ...after === undefined ? {} : { "last-event-id": after } }
  })).pipe(Effect.map((response) => response.stream))).pipe(
    Stream.decodeText(),
    Stream.splitLines,
    Stream.filter((line) => line.startsWith("data: {\"id\"")),
    Stream.mapEffect((line) => Schema.decodeEffect(SseData)(line.slice("data: ".length)))
  )

layer(world, { excludeTestServices: true, timeout: "180 seconds" })("notifications", (it) => {
  it.effect("reach every stream of their reader at once, REST and RPC alike, numbered without gaps", () => Effect.scoped(Effect.gen(function*() {
    const { url } = yield* Running
    const { englog, token } = yield* person({ transport: "websocket" })
    const overRpc = yield* sink(englog.WatchNotifications({}), 3)
    const overSse = yield* sink(sse(url, token), 3)
    for (const title of ["One", "Two", "Three"]) {
      const { result } = yield* englog.submitNotification({ title, body: "Text", link: "/v1/tasks" })
      assert.deepStrictEqual(yield* result, { delivered: [{ channel: "in_app", recipients: 1 }] })
    }
    assert.deepStrictEqual((yield* overRpc.all).map(({ seq, title }) => [seq, title]), [[1, "One"], [2, "Two"], [3, "Three"]])
    assert.deepStrictEqual((yield* overSse.all).map(({ seq, title }) => [seq, title]), [[1, "One"], [2, "Two"], [3, "Three"]])
    const resumed = yield* sink(sse(url, token, "2"), 1)
    assert.deepStrictEqual((yield* resumed.all).map(({ title }) => title), ["Three"], "goes on after the last that was seen")
    const late = yield* Stream.runHead(englog.WatchNotifications({ after: 1 }))
    assert.strictEqual(late._tag === "Some" ? late.value.title : undefined, "Two")
  })))

  it.effect("are listed newest first, read and unread, page by page", () => Effect.scoped(Effect.gen(function*() {
    const { englog } = yield* person()
    for (const title of ["A", "B", "C"]) yield* Effect.flatMap(englog.submitNotification({ title, category: "alert" }), ({ result }) => result)
    const first = yield* englog.ListNotifications({ limit: 2 })
    assert.deepStrictEqual([first.items.map(({ title }) => title), first.unread, first.last_seq], [["C", "B"], 3, 3])
    const rest = yield* englog.ListNotifications({ limit: 2, cursor: Number(first.next_cursor) })
    assert.deepStrictEqual([rest.items.map(({ title }) => title), rest.next_cursor], [["A"], null])
    const [newest] = first.items
    if (newest === undefined) return assert.fail("nothing was listed")
    const read = yield* englog.MarkNotificationRead({ id: newest.id })
    assert.isNotNull(read.read_at)
    assert.deepStrictEqual((yield* englog.MarkNotificationRead({ id: newest.id })).read_at, read.read_at, "it was read when it was read first")
    assert.deepStrictEqual((yield* englog.ListNotifications({ unread: true })).items.map(({ title }) => title), ["B", "A"])
    assert.isNull((yield* englog.MarkNotificationUnread({ id: newest.id })).read_at)
    assert.deepStrictEqual(yield* englog.MarkAllNotificationsRead(), { read: 3 })
    assert.strictEqual((yield* englog.ListNotifications({})).unread, 0)
    const { englog: stranger } = yield* person()
    assert.deepInclude(yield* Effect.flip(stranger.MarkNotificationRead({ id: newest.id })), { reason: "not_found" })
  })))

  it.effect("go by e-mail to oneself, and the deliveries tell what became of it", () => Effect.scoped(Effect.gen(function*() {
    const { englog } = yield* person()
    const { result } = yield* englog.submitNotification({ title: "Do not forget", channels: ["in_app", "email"] })
    assert.deepStrictEqual((yield* result).delivered, [{ channel: "in_app", recipients: 1 }, { channel: "email", recipients: 1 }])
    const [delivery] = (yield* englog.ListMailDeliveries({})).items
    // No worker here has a mail server.
    assert.deepInclude(delivery, { template: "notification", status: "not_configured" })
  })))

  it.effect("go by e-mail to the members of a team by its administrators, but to those who want none, and not without end", () => Effect.scoped(Effect.gen(function*() {
    const [ada, bob, cleo, dan] = [yield* person(), yield* person(), yield* person(), yield* person()]
    const team = yield* ada.englog.CreateTeam({ name: "Engines" })
    for (const [one, role] of [[bob, "lead"], [cleo, "member"]] as const) {
      const invitation = yield* ada.englog.InviteToTeam({ id: team.id, invitation: { email: one.email, role } })
      yield* one.englog.AcceptInvitation({ token: invitation.token })
    }
    const request = { title: "Release on Friday", body: "Nothing is merged after noon.", organization_id: team.id, channels: ["in_app", "email"] } as const
    const toAll = yield* Effect.flatMap(ada.englog.submitNotification(request), ({ result }) => result)
    assert.deepStrictEqual(toAll.delivered, [{ channel: "in_app", recipients: 3 }, { channel: "email", recipients: 3 }])
    const [toBob] = (yield* bob.englog.ListMailDeliveries({})).items
    assert.deepInclude(toBob, { template: "team_notification", to: bob.email })
    const wishes = yield* cleo.englog.GetPreferences()
    yield* cleo.englog.UpdatePreferences({ ...wishes, email_team_notifications: false })
    yield* bob.englog.UpdatePreferences({ ...(yield* bob.englog.GetPreferences()), team_notifications: false })
    const toSome = yield* Effect.flatMap(ada.englog.submitNotification(request), ({ result }) => result)
    assert.deepStrictEqual(toSome.delivered, [{ channel: "in_app", recipients: 2 }, { channel: "email", recipients: 2 }])
    assert.lengthOf((yield* cleo.englog.ListMailDeliveries({})).items.filter(({ template }) => template === "team_notification"), 1)
    assert.lengthOf((yield* bob.englog.ListNotifications({})).items, 1)
    // Who leads may tell them within EngLog, members and strangers may not tell them at all.
    assert.deepInclude(yield* Effect.flip(bob.englog.SendNotification(request)), { reason: "forbidden", message: "organization_id: only an admin of the team may do this" })
    yield* bob.englog.SendNotification({ ...request, channels: ["in_app"] })
    for (const one of [cleo, dan]) assert.deepInclude(yield* Effect.flip(one.englog.SendNotification(request)), { reason: "forbidden" })
    for (let n = 3; n <= 5; n++) yield* ada.englog.SendNotification(request)
    assert.deepInclude(yield* Effect.flip(ada.englog.SendNotification(request)), { reason: "too_many_requests" })
    yield* ada.englog.SendNotification({ ...request, channels: ["in_app"] })
    const everybody = yield* Effect.flip((yield* person({ admin: true })).englog.SendNotification({ title: "No", everybody: true, channels: ["email"] }))
    assert.deepInclude(everybody, { reason: "bad_request", message: "channels: email reaches yourself or a team, not everybody" })
  })))

  it.effect("go to the endpoints of an organization as the event notification.created, with their text", () => Effect.scoped(Effect.gen(function*() {
    const [ada, bob] = [yield* person(), yield* person()]
    const team = yield* ada.englog.CreateTeam({ name: "T" })
    const invitation = yield* ada.englog.InviteToTeam({ id: team.id, invitation: { email: bob.email, role: "lead" } })
    yield* bob.englog.AcceptInvitation({ token: invitation.token })
    const { id } = yield* ada.englog.CreateWebhook({ url: "https://example.com/hook", organization_id: team.id, events: ["notification.created"] })
    yield* ada.englog.CreateWebhook({ url: "https://example.com/other", organization_id: team.id, events: ["task.failed"] })
    const task = yield* ada.englog.submitNotification({ title: "Deployed", body: "2.1", category: "alert", organization_id: team.id, channels: ["webhook"] })
    assert.deepStrictEqual((yield* task.result).delivered, [{ channel: "webhook", recipients: 1 }])
    const [delivery] = (yield* ada.englog.ListWebhookDeliveries({ endpoint_id: id })).items
    if (delivery === undefined) return assert.fail("nothing was enqueued")
    const { body, event_type } = yield* ada.englog.GetWebhookDelivery({ id: delivery.id })
    assert.strictEqual(event_type, "notification.created")
    assert.deepStrictEqual(JSON.parse(body).data, {
      title: "Deployed", body: "2.1", link: null, category: "alert", task_id: task.task_id, organization_id: team.id, user_id: ada.user_id
    })
    assert.deepInclude(
      yield* Effect.flip(bob.englog.SendNotification({ title: "No", organization_id: team.id, channels: ["webhook"] })),
      { reason: "forbidden", message: "organization_id: only an admin of the team may do this" }
    )
  })))

  it.effect("go to a team by those who lead it, to everybody by administrators, and to nobody by others", () => Effect.scoped(Effect.gen(function*() {
    const [ada, bob, root] = [yield* person(), yield* person(), yield* person({ admin: true })]
    const team = yield* ada.englog.CreateTeam({ name: "T" })
    const invitation = yield* ada.englog.InviteToTeam({ id: team.id, invitation: { email: bob.email, role: "member" } })
    yield* bob.englog.AcceptInvitation({ token: invitation.token })
    const told = yield* Effect.flatMap(ada.englog.submitNotification({ title: "For the team", organization_id: team.id }), ({ result }) => result)
    assert.deepStrictEqual(told.delivered, [{ channel: "in_app", recipients: 2 }])
    assert.deepStrictEqual((yield* bob.englog.ListNotifications({})).items.map(({ sender_id, title }) => [sender_id, title]), [[ada.user_id, "For the team"]])
    for (const request of [{ title: "No", organization_id: team.id }, { title: "No", everybody: true }]) {
      assert.deepInclude(yield* Effect.flip(bob.englog.SendNotification(request)), { reason: "forbidden" })
    }
    const all = yield* Effect.flatMap(root.englog.submitNotification({ title: "Maintenance at noon", everybody: true }), ({ result }) => result)
    assert.isAtLeast(all.delivered[0]?.recipients ?? 0, 3)
    assert.strictEqual((yield* bob.englog.ListNotifications({ limit: 1 })).items[0]?.title, "Maintenance at noon")
    const straight = yield* Effect.flip(bob.englog.submit(Notification, { audience: { everybody: true }, category: "alert", channels: ["in_app"] }))
    assert.include(straight.message, "/v1/notifications")
  })))
})

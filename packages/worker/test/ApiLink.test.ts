import { assert, describe, it } from "@effect/vitest"
import { GrpcError } from "@englog/rpc/grpc/GrpcError"
import { ApiLink } from "@englog/worker/ApiLink"
import { Effect, Exit, Layer, Option, Redacted, Scope, Stream, SubscriptionRef } from "effect"
import * as FakeApi from "./support/FakeApi.ts"
import { handler, worker } from "./support/TestWorker.ts"

const echo = handler((task) => Effect.succeed(task.payload))

/** Starts a worker in the test's scope and hands out its link. */
const start = Effect.fnUntraced(function*(...args: Parameters<typeof worker>) {
  const context = yield* Layer.build(worker(...args))
  return yield* Effect.provide(ApiLink, context)
})

const connection = (link: ApiLink["Service"], state: string) =>
  SubscriptionRef.changes(link.state).pipe(Stream.filter((now) => now.connection === state), Stream.runHead, Effect.timeout("15 seconds"))

const tokenOf = (resume: Option.Option<Redacted.Redacted<string>>) => Option.getOrNull(Option.map(resume, Redacted.value))

describe("the link to the API", () => {
  it.live("registers with what the contract asks for and passes through the states of seed 000", () =>
    Effect.gen(function*() {
      const api = yield* FakeApi.make()
      const seen: Array<string> = []
      const link = yield* start([api.address], [echo], { enrollmentToken: Option.some(Redacted.make("enrolled")), queues: ["a", "b"] })
      yield* SubscriptionRef.changes(link.state).pipe(
        Stream.runForEach(({ connection }) => Effect.sync(() => seen.push(connection))),
        Effect.forkScoped
      )
      yield* connection(link, "Streaming")
      const [registration] = api.registrations
      assert.strictEqual(registration?.worker_id, "worker-1")
      assert.strictEqual(registration?.protocol, 2)
      assert.strictEqual(registration?.max_concurrent_tasks, 5)
      assert.deepStrictEqual(registration?.queues, ["a", "b"])
      assert.deepStrictEqual(registration?.kinds, ["TEST"])
      assert.strictEqual(tokenOf(registration?.enrollment_token ?? Option.none()), "enrolled")
      assert.isTrue(Option.isNone(registration?.resume_session_token ?? Option.none()))
      yield* FakeApi.eventually("a heartbeat", () => api.heartbeats.length > 0)
      assert.includeMembers(["Connecting", "Connected", "Registering", "Registered", "Streaming"], seen.slice(0, 5))
    }))

  it.live("answers each ping at once with its sequence and the tasks it holds", () =>
    Effect.gen(function*() {
      const api = yield* FakeApi.make()
      const link = yield* start([api.address], [handler(() => Effect.never)])
      yield* api.send(FakeApi.task("a", { attempt: 3 }))
      yield* connection(link, "Processing")
      yield* api.send({ _tag: "Ping", sequence: 7n })
      yield* FakeApi.eventually("ping 7 acknowledged", () => api.heartbeats.some((beat) => beat.acknowledged_ping === 7n))
      const answer = api.heartbeats.find((beat) => beat.acknowledged_ping === 7n)
      assert.deepInclude(answer, { held_tasks: [{ task_id: FakeApi.idOf("a"), attempt: 3 }], status: "busy" })
      yield* link.heartbeatNow
      yield* FakeApi.eventually("a heartbeat with its task", () => api.heartbeats.some((beat) => Option.isSome(beat.stats) && beat.held_tasks.length > 0))
      const stats = Option.getOrThrow(api.heartbeats.findLast((beat) => Option.isSome(beat.stats))?.stats ?? Option.none())
      assert.strictEqual(stats.active_tasks, 1)
      assert.isAbove(stats.memory_usage, 10)
      assert.isAtMost(stats.cpu_usage, 1)
    }))

  it.live("sends heartbeats at the interval the server names", () =>
    Effect.gen(function*() {
      const api = yield* FakeApi.make({ register: () => Effect.succeed(FakeApi.welcome("s", "1 second")) })
      yield* start([api.address], [echo])
      yield* FakeApi.eventually("three heartbeats", () => api.heartbeats.length >= 3)
    }))

  it.live("moves to another address when its server dies, and resumes its session there", () =>
    Effect.gen(function*() {
      const scopes = [yield* Scope.make(), yield* Scope.make()] as const
      const apis = yield* Effect.forEach(scopes, (scope) => FakeApi.make().pipe(Scope.provide(scope)))
      const link = yield* start(apis.map((api) => api.address), [echo])
      yield* connection(link, "Streaming")
      const from = apis.findIndex((api) => api.registrations.length > 0)
      yield* Scope.close(scopes[from === 0 ? 0 : 1], Exit.void)
      const to = apis[1 - from]
      yield* FakeApi.eventually("registered at the other address", () => to?.registrations.length === 1)
      assert.strictEqual(tokenOf(to?.registrations[0]?.resume_session_token ?? Option.none()), "session-1")
      yield* Scope.close(scopes[from === 0 ? 1 : 0], Exit.void)
    }))

  it.live("resumes at the same address after the server was restarted", () =>
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      const before = yield* FakeApi.make().pipe(Scope.provide(scope))
      const link = yield* start([before.address], [echo])
      yield* connection(link, "Streaming")
      yield* Scope.close(scope, Exit.void)
      yield* connection(link, "Reconnecting")
      const after = yield* FakeApi.make({}, before.port)
      yield* connection(link, "Streaming")
      assert.strictEqual(tokenOf(after.registrations[0]?.resume_session_token ?? Option.none()), "session-1")
    }), 20_000)

  it.live("says why it cannot register, and registers once it can", () =>
    Effect.gen(function*() {
      const api = yield* FakeApi.make({
        register: (_, nth) =>
          nth === 1
            ? Effect.fail(new GrpcError({ code: "ALREADY_EXISTS", message: "worker-1 is alive" }))
            : Effect.succeed(FakeApi.welcome("mine"))
      })
      const link = yield* start([api.address], [echo])
      yield* connection(link, "Reconnecting")
      const { problem } = yield* SubscriptionRef.get(link.state)
      assert.include(Option.getOrElse(problem, () => ""), "worker-1 is alive")
      yield* connection(link, "Streaming")
      assert.strictEqual(api.registrations.length, 2)
    }))

  it.live("registers anew when a heartbeat is answered UNAUTHENTICATED", () =>
    Effect.gen(function*() {
      const api = yield* FakeApi.make({
        heartbeat: (_, nth) => nth === 1 ? Effect.fail(new GrpcError({ code: "UNAUTHENTICATED", message: "expired" })) : Effect.succeed({})
      })
      yield* start([api.address], [echo])
      yield* FakeApi.eventually("a second registration", () => api.registrations.length === 2)
      yield* FakeApi.eventually("a second stream", () => api.streams.opened === 2)
    }))

  it.live("survives a failing heartbeat or two without leaving", () =>
    Effect.gen(function*() {
      const api = yield* FakeApi.make({
        heartbeat: (_, nth) => nth <= 2 ? Effect.fail(new GrpcError({ code: "UNAVAILABLE", message: "no database" })) : Effect.succeed({})
      })
      yield* start([api.address], [echo])
      yield* FakeApi.eventually("a third heartbeat", () => api.heartbeats.length >= 3)
      assert.strictEqual(api.registrations.length, 1)
    }))

  it.live("goes to the next address on a drain, with its token, while its task goes on", () =>
    Effect.gen(function*() {
      const apis = [yield* FakeApi.make(), yield* FakeApi.make()]
      const link = yield* start(apis.map((api) => api.address), [handler(() => Effect.never)])
      yield* connection(link, "Streaming")
      const from = apis.find((api) => api.registrations.length > 0)
      const to = apis.find((api) => api !== from)
      assert.isDefined(from)
      yield* from.send(FakeApi.task("long"))
      yield* connection(link, "Processing")
      yield* from.send({ _tag: "Drain", reason: "deploy" })
      yield* FakeApi.eventually("registered elsewhere", () => to?.registrations.length === 1)
      assert.strictEqual(tokenOf(to?.registrations[0]?.resume_session_token ?? Option.none()), "session-1")
      yield* FakeApi.eventually("still holds its task", () => to?.heartbeats[0]?.held_tasks.length === 1)
    }))

  it.live("stops registering for a while after five failures of the server", () =>
    Effect.gen(function*() {
      const api = yield* FakeApi.make({ register: () => Effect.fail(new GrpcError({ code: "INTERNAL", message: "broken" })) })
      const other = Array.from({ length: 5 }, () => api.address)
      const link = yield* start(other, [echo])
      yield* FakeApi.eventually("five tries", () => api.registrations.length === 5)
      yield* SubscriptionRef.changes(link.state).pipe(Stream.filter((state) => state.failures >= 6), Stream.runHead, Effect.timeout("10 seconds"))
      assert.strictEqual(api.registrations.length, 5)
      assert.strictEqual(yield* link.registrationBreaker.state, "open")
    }), 20_000)

  it.live("reports Disconnected after ten failed tries, and still connects later", () =>
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      const gone = yield* FakeApi.make().pipe(Scope.provide(scope))
      yield* Scope.close(scope, Exit.void)
      const link = yield* start(Array.from({ length: 10 }, () => gone.address), [echo])
      yield* SubscriptionRef.changes(link.state).pipe(
        Stream.filter((state) => state.connection === "Disconnected" && state.failures >= 10),
        Stream.runHead,
        Effect.timeout("15 seconds")
      )
      const back = yield* FakeApi.make({}, gone.port)
      yield* connection(link, "Streaming")
      assert.strictEqual(back.registrations.length, 1)
    }), 30_000)
})

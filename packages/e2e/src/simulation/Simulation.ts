/**
 * One simulation: the product's own logic of API servers and workers, between them a network and below them tables that are
 * values in memory, driven by a test clock through the schedule of a seed until everything has healed and settled. No sockets, no
 * database, no time that passes: the same seed takes the same course.
 */
import { OrganizationId, type TaskId, UserId } from "@englog/domain/Ids"
import { Priority } from "@englog/domain/tasks/TaskPolicy"
import type { CancelAnswer } from "@englog/api/queue/TaskOutcomes"
import { Cause, Clock, Effect, Exit, Latch, Option, Random, References, Scheduler, Scope, Schema } from "effect"
import { TestClock } from "effect/testing"
import { Bell } from "./Bell.ts"
import { Database, type Flaw } from "./Database.ts"
import { type Course, violationsOf } from "./Judge.ts"
import { Network } from "./Network.ts"
import { ProcessClock } from "./ProcessClock.ts"
import { type Fault, type PlannedTask, type Schedule, scheduleOf } from "./Schedule.ts"
import * as Server from "./Server.ts"
import * as Worker from "./SimulatedWorker.ts"
import type { Entry } from "./Tables.ts"

export interface Verdict {
  readonly seed: number
  readonly schedule: Schedule
  readonly violations: ReadonlyArray<string>
  /** Attempts issued, and how many of them went back to the queue why. */
  readonly attempts: number
  readonly returns: Readonly<Record<string, number>>
  /** What happened to which task in which session, in the order of the commits: the same in courses that differ in times alone. */
  readonly order: string
  /** Simulated milliseconds. */
  readonly took: number
}

/** No turn of the event loop for each step: nothing here waits for it. */
const soon = (run: () => void) => {
  let cancelled = false
  void Promise.resolve().then(() => cancelled ? undefined : run())
  return () => void (cancelled = true)
}

/**
 * After the last fault is healed: a worker's back-off of a minute, an open breaker, leases, retries, and what was waiting.
 */
const PATIENCE = 180_000
/** Whatever was planned is over by then, unless something that was to stop hangs. */
const OVER = 600_000
/** gRPC's keepalive: 4 s between pings, 3 s for the answer. */
const KEEPALIVE = 7_000

export const simulate = (seed: number, flaw?: Flaw): Effect.Effect<Verdict> =>
  Effect.gen(function*() {
    // Never closed: nothing of it is outside of the process, so that it is simply forgotten, and a stop is a fault like others.
    const scope = yield* Scope.make()
    return yield* run(scheduleOf(seed), scope, flaw)
  }).pipe(
    Random.withSeed(seed),
    Effect.provideService(Scheduler.Scheduler, new Scheduler.MixedScheduler("async", soon)),
    Effect.provideService(References.MinimumLogLevel, "None"),
    Effect.withTracerEnabled(false),
    Effect.provide(TestClock.layer())
  )

const run = Effect.fnUntraced(function*(schedule: Schedule, scope: Scope.Scope, flaw: Flaw | undefined) {
  const world = yield* make(schedule, scope, flaw)
  const clock = new ProcessClock(yield* Clock.Clock, 0, Latch.makeUnsafe(true))
  yield* Effect.forkIn(Effect.provideService(world.play, Clock.Clock, clock), scope)
  const end = yield* advanceUntil(world.settled)
  const course: Course = { ...world.course, leaks: end.settled ? [] : yield* world.leaks }
  const { journal } = world.course.tables
  const returns: Record<string, number> = {}
  for (const entry of journal) if (entry._tag === "Requeued") returns[entry.event] = (returns[entry.event] ?? 0) + 1
  return {
    seed: schedule.seed,
    schedule,
    violations: violationsOf(course),
    attempts: journal.filter(({ _tag }) => _tag === "Issued").length,
    returns,
    order: orderOf(journal),
    took: end.took
  } satisfies Verdict
})

const orderOf = (journal: ReadonlyArray<Entry>): string => {
  const names = new Map<string, number>()
  const nameOf = (id: string) => {
    const name = names.get(id) ?? names.size
    names.set(id, name)
    return name
  }
  return journal.map((entry) => {
    const task = `${entry._tag} ${nameOf(entry.task_id)}`
    switch (entry._tag) {
      case "Accepted":
        return task
      case "Issued":
        return `${task}.${entry.attempt} to ${nameOf(entry.session_id)}`
      case "Requeued":
        return `${task}.${entry.attempt} ${entry.event}`
      case "Ended":
        return `${task}.${entry.end.attempt} ${entry.end.outcome} ${entry.end.reason ?? ""}`
    }
  }).join("\n")
}

const advanceUntil = Effect.fnUntraced(function*(settled: Effect.Effect<"not yet" | "settled" | "too late">) {
  for (;;) {
    yield* TestClock.adjust("1 second")
    const state = yield* settled
    if (state !== "not yet") return { settled: state === "settled", took: yield* Clock.currentTimeMillis }
  }
})

const organization_id = OrganizationId.make("00000000-0000-4000-8000-000000000001")
const user_id = UserId.make("00000000-0000-4000-8000-000000000002")
const encodeWork = Schema.encodeSync(Worker.Work)

const submissionOf = (planned: PlannedTask) => ({
  kind: Worker.KIND,
  prefix: "simulated",
  organization_id,
  user_id,
  payload: encodeWork(planned.work),
  private_input: null,
  delay: planned.delay,
  policy: {
    queue: "default",
    priority: Priority.make(planned.priority),
    attempt_timeout: planned.attempt_timeout,
    deadline: planned.deadline,
    retry: { max_retries: planned.max_retries, base_delay: 500, backoff_factor: 2, max_delay: 2_000 }
  }
})

/** What a server said in time; a server that fails or goes meanwhile, with all that it was doing, says nothing. */
const answered = <A, E>(call: Effect.Effect<A, E>): Effect.Effect<Option.Option<A>> =>
  Effect.flatMap(Effect.exit(Effect.timeout(call, "2 seconds")), (exit) =>
    Exit.isSuccess(exit) ? Effect.succeedSome(exit.value) : Cause.hasDies(exit.cause) ? Effect.die(Cause.squash(exit.cause)) : Effect.succeedNone)

/** The cluster, what goes on in it, and what is noted of it. */
const make = Effect.fnUntraced(function*(schedule: Schedule, scope: Scope.Scope, flaw: Flaw | undefined) {
  const database = new Database(flaw)
  const network = new Network(scope)
  const bell = new Bell()
  const accepted = new Map<TaskId, PlannedTask>()
  const submitted = new Map<number, TaskId>()
  const cancels: Array<Course["cancels"][number]> = []
  const seen: Array<string> = []
  const over = new Set<string>()
  let healed = Number.POSITIVE_INFINITY

  const addresses = Array.from({ length: schedule.servers }, (_, index) => `api-${index}:1`)
  const startServer = (index: number) =>
    Server.start({ address: addresses[index] ?? "", number: index, database, network, bell }).pipe(Scope.provide(scope), Effect.orDie)
  const startWorker = (index: number) => {
    const planned = schedule.workers[index]
    if (planned === undefined) return Effect.die(new Error("no such worker"))
    return Worker.start({
      ...planned,
      name: `worker-${index}`,
      addresses,
      network,
      over: (worker, task_id, attempt) => void over.add(`${worker} ${task_id} ${attempt}`)
    }).pipe(Scope.provide(scope), Effect.orDie)
  }
  const servers: Array<Server.Server | undefined> = []
  const workers: Array<Worker.SimulatedWorker | undefined> = []
  const start = Effect.gen(function*() {
    for (const index of addresses.keys()) servers.push(yield* startServer(index))
    for (const index of schedule.workers.keys()) workers.push(yield* startWorker(index))
  })

  /** The client tries until somebody answers; what was committed without an answer may be there twice. */
  const submit = (planned: PlannedTask, index: number) =>
    Effect.gen(function*() {
      const server = servers[index % servers.length] ?? servers.find((one) => one !== undefined)
      const answer = server === undefined ? Option.none() : yield* answered(server.queue.submit(submissionOf(planned)))
      if (Option.isNone(answer)) return yield* Effect.as(Effect.sleep("500 millis"), false)
      accepted.set(answer.value, planned)
      submitted.set(index, answer.value)
      return true
    }).pipe(Effect.repeat({ until: (done) => done }), Effect.asVoid)

  const cancel = Effect.fnUntraced(function*(index: number) {
    const task_id = submitted.get(index)
    const server = servers.find((one) => one !== undefined)
    if (task_id === undefined || server === undefined) return
    const before = database.tables.ended.get(task_id)?.outcome
    const answer = yield* answered(server.outcomes.cancel(task_id, "as planned"))
    if (Option.isSome(answer)) cancels.push({ task_id, answer: answer.value satisfies CancelAnswer, before })
  })

  const connectionsOf = (worker: number) => [...network.connections].filter((one) => one.worker === `worker-${worker}`)

  /** Silence on a connection is noticed by keepalive, and ends it. */
  const silence = (worker: number, lasts: number, directions: ReadonlyArray<"up" | "down">) =>
    Effect.gen(function*() {
      const silent = connectionsOf(worker)
      for (const one of silent) for (const direction of directions) one[direction].closeUnsafe()
      yield* Effect.sleep(Math.min(lasts, KEEPALIVE))
      if (lasts > KEEPALIVE) yield* network.cut((one) => silent.includes(one))
      yield* Effect.sleep(Math.max(0, lasts - KEEPALIVE))
      for (const one of silent) for (const direction of directions) one[direction].openUnsafe()
    })

  const inflict = (fault: Fault): Effect.Effect<void> =>
    Effect.gen(function*() {
      yield* Effect.sleep(fault.at)
      switch (fault._tag) {
        case "CrashServer":
        case "StopServer": {
          const server = servers[fault.server]
          if (server === undefined) return
          servers[fault.server] = undefined
          yield* fault._tag === "CrashServer" ? server.crash : server.stop
          yield* Effect.sleep(fault.lasts)
          servers[fault.server] = yield* startServer(fault.server)
          return
        }
        case "CutDatabase": {
          const server = servers[fault.server]
          if (server === undefined) return
          server.line.cut = true
          yield* Effect.sleep(fault.lasts)
          // A server that crashed meanwhile stays cut off.
          if (servers[fault.server] === server) server.line.cut = false
          return
        }
        case "CrashWorker":
        case "StopWorker": {
          const worker = workers[fault.worker]
          if (worker === undefined) return
          workers[fault.worker] = undefined
          yield* fault._tag === "CrashWorker" ? worker.crash : worker.stop
          yield* Effect.sleep(fault.lasts)
          workers[fault.worker] = yield* startWorker(fault.worker)
          return
        }
        case "Freeze": {
          const worker = workers[fault.worker]
          if (worker === undefined) return
          yield* worker.freeze
          yield* silence(fault.worker, fault.lasts, ["up", "down"])
          yield* worker.thaw
          return
        }
        case "Partition": {
          const worker = workers[fault.worker]
          if (worker === undefined) return
          worker.plugged = false
          yield* silence(fault.worker, fault.lasts, ["up", "down"])
          worker.plugged = true
          return
        }
        case "Unplug": {
          const worker = workers[fault.worker]
          if (worker === undefined) return
          worker.plugged = false
          yield* network.cut((one) => one.worker === worker.name)
          yield* Effect.sleep(fault.lasts)
          worker.plugged = true
          return
        }
        case "Mute":
          return yield* silence(fault.worker, fault.lasts, [fault.direction])
        case "Deafen": {
          const deaf = connectionsOf(fault.worker)
          for (const one of deaf) one.streamDown.closeUnsafe()
          yield* Effect.sleep(fault.lasts)
          for (const one of deaf) one.streamDown.openUnsafe()
          return
        }
        case "CutConnection":
          return yield* network.cut((one) => one.worker === `worker-${fault.worker}`)
        case "Pause": {
          for (const server of servers) {
            const session = [...database.tables.sessions.values()].find((row) => row.worker_id === `worker-${fault.worker}` && row.ended_at === null)
            if (session === undefined || server === undefined || !(yield* server.sessions.pause(session.id, "as planned"))) continue
            yield* Effect.sleep(fault.lasts)
            yield* server.sessions.resume(session.id)
            return
          }
          return
        }
        case "Cancel":
          return yield* cancel(fault.task)
      }
    })

  const play = Effect.gen(function*() {
    yield* start
    yield* Effect.all([
      Effect.forEach(schedule.tasks, (planned, index) => Effect.andThen(Effect.sleep(planned.at), submit(planned, index)), { concurrency: "unbounded" }),
      Effect.forEach(schedule.faults, inflict, { concurrency: "unbounded" })
    ], { concurrency: "unbounded" })
    healed = yield* Clock.currentTimeMillis
  }).pipe(Effect.catchCause((cause) => Effect.sync(() => seen.push(`the simulation itself failed: ${cause}`))))

  /** What a session was sent and still holds, beside what its worker has finished. */
  const watchWindows = Effect.sync(() => {
    for (const { id, worker_id: worker } of database.tables.sessions.values()) {
      const planned = schedule.workers[Number(worker.split("-")[1])]
      const inFlight = database.tables.runningIn(id).filter(({ attempt, task: { task_id } }) =>
        network.sent.has(`${task_id} ${attempt}`) && !over.has(`${worker} ${task_id} ${attempt}`)).length
      const window = (planned?.maxConcurrent ?? 0) + (planned?.prefetch ?? 0)
      if (inFlight > window) seen.push(`${worker} has ${inFlight} tasks in flight, its window is ${window}`)
    }
  })

  const leaks = Effect.gen(function*() {
    const found: Array<string> = []
    for (const server of servers) {
      for (const session of server === undefined ? [] : yield* server.sessions.all) {
        for (const [task_id, attempt] of session.delivered) {
          found.push(`${server?.address}: a slot of ${session.row.worker_id} is still taken by attempt ${attempt} of ${task_id}`)
        }
      }
    }
    for (const worker of workers) {
      for (const { attempt, task_id } of worker?.held.values() ?? []) found.push(`${worker?.name} still holds attempt ${attempt} of ${task_id}`)
      const active = worker === undefined ? 0 : yield* worker.active
      if (active > 0) found.push(`${worker?.name} still runs ${active} attempts`)
    }
    return found
  })

  const settled = Effect.gen(function*() {
    yield* watchWindows
    const now = yield* Clock.currentTimeMillis
    if (database.tables.open.size === 0 && now > healed && (yield* leaks).length === 0) return "settled"
    return now > Math.min(healed, OVER) + PATIENCE || seen.length > 0 ? "too late" : "not yet"
  }).pipe(Effect.map((state): "settled" | "too late" | "not yet" => state))

  return { play, settled, leaks, course: { schedule, tables: database.tables, accepted, cancels, deafness: network.deafness, seen } }
})

/**
 * A worker of a simulation: the product's link, outbox, supervisor and ledger, with a clock of its own that may be wrong or stand
 * still, and handlers that take as long as their task says.
 */
import { WorkerId } from "@englog/domain/Ids"
import { quietTelemetry } from "@englog/platform/Environment"
import { noTls } from "@englog/rpc/grpc/GrpcTls"
import { ApiLink } from "@englog/worker/ApiLink"
import { AppConfig } from "@englog/worker/AppConfig"
import { AttemptLedger } from "@englog/worker/AttemptLedger"
import { Dial } from "@englog/worker/Dial"
import { TaskFailure, type TaskHandler } from "@englog/worker/handlers/TaskHandler"
import { TaskHandlers } from "@englog/worker/handlers/TaskHandlers"
import { Outbox } from "@englog/worker/Outbox"
import { ProcessUsage } from "@englog/worker/ProcessUsage"
import { WorkerSupervisor } from "@englog/worker/WorkerSupervisor"
import { Clock, Context, DateTime, Effect, Exit, FileSystem, Latch, Layer, Option, Schema, Scope } from "effect"
import type { Network } from "./Network.ts"
import { ProcessClock } from "./ProcessClock.ts"

/** What a task asks of its handler, in its payload. */
export const Work = Schema.fromJsonString(Schema.Struct({
  /** Milliseconds. */
  takes: Schema.Int,
  /** Stubborn: it completes, however often it is interrupted. */
  ends: Schema.Literals(["completes", "fails", "fails first", "fails for good", "stubborn"])
}))

export const KIND = "SIMULATED"

/** Which attempt an outcome comes from: the result, or the reason of a failure. */
export const signature = (attempt: number): string => JSON.stringify({ attempt })

export interface WorkerHome {
  readonly name: string
  readonly addresses: ReadonlyArray<string>
  readonly network: Network
  readonly maxConcurrent: number
  readonly prefetch: number
  readonly slotHeld: boolean
  /** Milliseconds that its clock is ahead. */
  readonly ahead: number
  /** Called when a handler has ended, or was interrupted. */
  readonly over: (worker: string, task_id: string, attempt: number) => void
}

const handler = ({ name, over }: WorkerHome): TaskHandler => ({
  kind: KIND,
  run: (task, context) =>
    Effect.gen(function*() {
      const { ends, takes } = yield* Effect.orDie(Schema.decodeEffect(Work)(task.payload))
      yield* context.progress(10, "begun")
      const working = Effect.sleep(takes)
      yield* ends === "stubborn" ? Effect.uninterruptible(working) : working
      const fails = ends === "fails" || ends === "fails for good" || (ends === "fails first" && task.attempt === 1)
      if (fails) return yield* new TaskFailure({ message: signature(task.attempt), retryable: ends !== "fails for good" })
      return signature(task.attempt)
    }).pipe(Effect.ensuring(Effect.sync(() => over(name, task.task_id, task.attempt))))
})

const config = (home: WorkerHome): AppConfig["Service"] => ({
  apiAddresses: home.addresses,
  workerId: WorkerId.make(home.name),
  workerName: home.name,
  maxConcurrent: home.maxConcurrent,
  prefetch: home.prefetch,
  slotHeld: home.slotHeld,
  queues: ["default"],
  healthHost: "",
  healthPort: Option.none(),
  enrollmentToken: Option.none(),
  tls: noTls,
  llm: {
    provider: "builtin",
    ollamaUrl: Option.none(),
    ollamaModel: "",
    openaiBaseUrl: "",
    openaiApiKey: Option.none(),
    openaiModel: ""
  },
  mail: Option.none(),
  webAllowPrivate: false,
  n8nPrivateHosts: [],
  embeddings: { _tag: "Builtin" },
  gitRoots: [],
  searchPath: "/usr/bin:/bin",
  telemetry: quietTelemetry
})

const usage = Layer.succeed(ProcessUsage, ProcessUsage.of({
  startedAt: DateTime.makeUnsafe(0),
  read: Effect.succeed({ cpu: 0, memory: 0 })
}))

export interface SimulatedWorker {
  readonly name: string
  /** Attempts that it has in its hands. */
  readonly held: AttemptLedger["Service"]["held"]
  readonly active: Effect.Effect<number>
  /** SIGTERM: it drains. */
  readonly stop: Effect.Effect<void>
  /** Nothing of it reaches the network from now on. */
  readonly crash: Effect.Effect<void>
  readonly freeze: Effect.Effect<void>
  readonly thaw: Effect.Effect<void>
  /** Whether it can connect. */
  plugged: boolean
}

/** Ends with the scope. */
export const start = Effect.fnUntraced(function*(home: WorkerHome) {
  const around = yield* Effect.scope
  const scope = yield* Scope.fork(around)
  const runs = Latch.makeUnsafe(true)
  const world = yield* Clock.Clock
  const power = { on: true }
  const mine = (one: { readonly worker: string }) => one.worker === home.name
  const reach = { plugged: true }
  const context = yield* Layer.buildWithScope(
    Layer.fresh(WorkerSupervisor.layer.pipe(
      Layer.provideMerge(ApiLink.layer),
      Layer.provideMerge(Outbox.layer),
      Layer.provideMerge(AttemptLedger.layer),
      Layer.provide(TaskHandlers.layer([Effect.succeed(handler(home))])),
      Layer.provide(Layer.mergeAll(
        usage,
        FileSystem.layerNoop({}),
        Layer.succeed(AppConfig, config(home)),
        Layer.succeed(Dial, home.network.dial(home.name, () => power.on && reach.plugged)),
        Layer.succeed(Clock.Clock, new ProcessClock(world, home.ahead, runs))
      ))
    )),
    scope
  )
  const gates = (change: (latch: Latch.Latch) => void) =>
    Effect.sync(() => {
      for (const connection of home.network.connections) if (mine(connection)) [connection.up, connection.down].forEach(change)
    })
  const stop = Scope.close(scope, Exit.void)
  const worker: SimulatedWorker = {
    name: home.name,
    held: Context.get(context, AttemptLedger).held,
    active: Context.get(context, WorkerSupervisor).active,
    stop,
    crash: Effect.sync(() => void (power.on = false)).pipe(
      Effect.andThen(home.network.cut(mine)),
      Effect.andThen(Effect.forkIn(stop, around)),
      Effect.asVoid
    ),
    freeze: Effect.andThen(gates((latch) => latch.closeUnsafe()), Effect.sync(() => runs.closeUnsafe())),
    thaw: Effect.andThen(Effect.sync(() => runs.openUnsafe()), gates((latch) => latch.openUnsafe())),
    get plugged() {
      return reach.plugged
    },
    set plugged(value) {
      reach.plugged = value
    }
  }
  return worker
})

/**
 * An API server of a simulation: the product's gateway, sessions, dispatcher, rescuer and engine above the simulation's tables and
 * network. It can be stopped as by SIGTERM, or be gone at once with all that it had in memory.
 */
import { CallLimits } from "@englog/api/cluster/CallLimits"
import { CancelCourierLive } from "@englog/api/cluster/CancelCourier"
import { ClusterConfig } from "@englog/api/cluster/ClusterConfig"
import { DispatcherLive } from "@englog/api/cluster/Dispatcher"
import { DrainOnStop } from "@englog/api/cluster/DrainOnStop"
import { Heartbeats } from "@englog/api/cluster/Heartbeats"
import { LeaseRescuerLive, Replica } from "@englog/api/cluster/LeaseRescuer"
import { Registrations } from "@englog/api/cluster/Registrations"
import { SessionStream } from "@englog/api/cluster/SessionStream"
import { StreamAttachment } from "@englog/api/cluster/StreamAttachment"
import { WorkerGateway } from "@englog/api/cluster/WorkerGateway"
import { WorkerReports } from "@englog/api/cluster/WorkerReports"
import { WorkerSessions } from "@englog/api/cluster/WorkerSessions"
import { DueTasksLive } from "@englog/api/queue/DueTasks"
import { EngineSql } from "@englog/api/queue/EngineSql"
import { HandOff } from "@englog/api/queue/HandOff"
import { LeaseBook } from "@englog/api/queue/LeaseBook"
import { TaskKinds } from "@englog/api/queue/TaskKinds"
import { TaskEndings } from "@englog/api/queue/TaskEndings"
import { TaskOutcomes } from "@englog/api/queue/TaskOutcomes"
import { TaskQueue } from "@englog/api/queue/TaskQueue"
import { AnnouncedKinds } from "@englog/api/kinds/AnnouncedKinds"
import { SecurityEvents } from "@englog/api/security/SecurityEvents"
import { GrpcServer } from "@englog/rpc/grpc/GrpcServer"
import { Context, Duration, Effect, Exit, Layer, Option, Scope } from "effect"
import type { Bell } from "./Bell.ts"
import * as Database from "./Database.ts"
import * as EngineRepos from "./EngineRepos.ts"
import type { Network } from "./Network.ts"
import * as SessionRepo from "./SessionRepo.ts"

export interface ServerHome {
  readonly address: string
  /** Tells the servers apart. */
  readonly number: number
  readonly database: Database.Database
  readonly network: Network
  readonly bell: Bell
}

const config = Layer.succeed(ClusterConfig, ClusterConfig.of({
  heartbeatInterval: Duration.seconds(30),
  workerTimeout: Duration.minutes(2),
  maxWorkers: 10,
  enrollmentToken: Option.none()
}))

/** These workers bring no kinds of their own. */
const kinds = Layer.succeed(AnnouncedKinds, AnnouncedKinds.of({
  find: () => Effect.succeedNone,
  all: Effect.succeed([]),
  announce: () => Effect.void,
  learn: () => Effect.void
}))

const storage = ({ bell, database, number }: ServerHome, line: Database.Line) =>
  Layer.mergeAll(EngineRepos.layer(number), SessionRepo.layer, EngineSql.layer).pipe(
    Layer.provideMerge(Layer.mergeAll(LeaseBook.layer, TaskEndings.layer, TaskKinds.layer, HandOff.layer, bell.layer, Database.layer(database, line)))
  )

const cluster = Layer.mergeAll(Registrations.layer, SessionStream.layer).pipe(
  Layer.provideMerge(StreamAttachment.layer),
  Layer.provideMerge(Layer.mergeAll(Heartbeats.layer, WorkerReports.layer)),
  Layer.provideMerge(Layer.mergeAll(WorkerSessions.layer, CallLimits.layer, Replica.layer, TaskOutcomes.layer, TaskQueue.layer)),
  Layer.provideMerge(Layer.mergeAll(config, kinds, Layer.succeed(SecurityEvents, SecurityEvents.of({ record: () => Effect.void }))))
)

const listening = ({ address, network }: ServerHome) =>
  Layer.effect(GrpcServer, Effect.gen(function*() {
    yield* network.listen(address, yield* WorkerGateway)
    return GrpcServer.of({ host: address, port: 1 })
  })).pipe(Layer.provide(WorkerGateway.layer))

/** As ApiServer assembles it, without what people use. */
const api = (home: ServerHome, line: Database.Line) =>
  Layer.mergeAll(DispatcherLive, CancelCourierLive, LeaseRescuerLive, DueTasksLive, DrainOnStop).pipe(
    Layer.provide(listening(home)),
    Layer.provideMerge(cluster),
    Layer.provideMerge(storage(home, line))
  )

export interface Server {
  readonly address: string
  readonly line: Database.Line
  readonly queue: TaskQueue["Service"]
  readonly outcomes: TaskOutcomes["Service"]
  readonly sessions: WorkerSessions["Service"]
  readonly stop: Effect.Effect<void>
  /** Nothing of it reaches the tables or the network from now on. */
  readonly crash: Effect.Effect<void>
}

/** Ends with the scope, in which what a crash leaves is cleared away too. */
export const start = Effect.fnUntraced(function*(home: ServerHome) {
  const line = new Database.Line()
  const around = yield* Effect.scope
  const scope = yield* Scope.fork(around)
  const context = yield* Layer.buildWithScope(Layer.fresh(api(home, line)), scope)
  const stop = Scope.close(scope, Exit.void)
  const server: Server = {
    address: home.address,
    line,
    queue: Context.get(context, TaskQueue),
    outcomes: Context.get(context, TaskOutcomes),
    sessions: Context.get(context, WorkerSessions),
    stop,
    crash: Effect.sync(() => void (line.cut = true)).pipe(
      Effect.andThen(home.network.vanish(home.address)),
      Effect.andThen(Effect.forkIn(stop, around)),
      Effect.asVoid
    )
  }
  return server
})

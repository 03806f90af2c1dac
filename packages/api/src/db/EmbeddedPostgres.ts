/**
 * A PostgreSQL of our own, for whoever sets no DATABASE_URL: real, durable, one per DATA_DIR.
 *
 * One process owns it: it starts, supervises (restarts on the same port when it crashes) and stops the server. Others on
 * the same DATA_DIR join it. The owner's place is a lock that the operating system releases: a joiner takes it within
 * 100 ms of the owner's end, however that came about, and adopts the running server. An owner that leaves in
 * good order while somebody has joined leaves the server running for them.
 */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { Context, Deferred, Effect, FileSystem, Layer, type Redacted, Ref, Schedule } from "effect"
import { EmbeddedPostgresError } from "./embedded/EmbeddedPostgresError.ts"
import { FileLock, type HeldLock } from "./embedded/FileLock.ts"
import { PostgresBinaries } from "./embedded/PostgresBinaries.ts"
import { PostgresCluster } from "./embedded/PostgresCluster.ts"
import { PostgresHome } from "./embedded/PostgresHome.ts"
import { PostgresServer, type Postmaster, type ServerPlan } from "./embedded/PostgresServer.ts"
import { SystemUser } from "./embedded/SystemUser.ts"

export interface EmbeddedPostgresOptions {
  readonly dataDir: string
  /** Server settings beyond the built-in ones; tests switch durability off by them. */
  readonly settings?: Readonly<Record<string, string>>
}

type Status = "running" | "restarting"

export class EmbeddedPostgres extends Context.Service<EmbeddedPostgres, {
  /** Of a database whose owner is the only role; stays the same as long as this process lives. */
  readonly url: Redacted.Redacted
  readonly status: Effect.Effect<Status>
  /** On the disk that the data is on. */
  readonly folder: string
}>()("@englog/api/db/EmbeddedPostgres") {
  static readonly layer = (options: EmbeddedPostgresOptions): Layer.Layer<EmbeddedPostgres, EmbeddedPostgresError> =>
    Layer.effect(EmbeddedPostgres, make(options)).pipe(Layer.provide(NodeFileSystem.layer))
}

interface Place {
  readonly plan: ServerPlan
  readonly status: Ref.Ref<Status>
  readonly owner: Ref.Ref<HeldLock | undefined>
  readonly joined: Ref.Ref<HeldLock | undefined>
  /** The url, once a server has answered; the failure of the first attempt otherwise. */
  readonly url: Deferred.Deferred<Redacted.Redacted, EmbeddedPostgresError>
}

const make = Effect.fnUntraced(function*(options: EmbeddedPostgresOptions) {
  const user = yield* SystemUser.forPostgres
  const binaries = yield* PostgresBinaries.locate(user)
  const home = yield* PostgresHome.prepare(options.dataDir, user)
  const none: HeldLock | undefined = undefined
  const place: Place = {
    plan: { home, binaries, settings: options.settings ?? {} },
    status: yield* Ref.make<Status>("restarting"),
    owner: yield* Ref.make<HeldLock | undefined>(none),
    joined: yield* Ref.make<HeldLock | undefined>(none),
    url: yield* Deferred.make<Redacted.Redacted, EmbeddedPostgresError>()
  }
  yield* Effect.addFinalizer(() => leave(place))
  yield* Effect.forkScoped(takePart(place).pipe(Effect.onError((cause) => Deferred.failCause(place.url, cause))))
  return EmbeddedPostgres.of({ url: yield* Deferred.await(place.url), status: Ref.get(place.status), folder: home.folder })
})

/** Owns the server if nobody does, else uses it until its owner ends. */
const takePart = Effect.fnUntraced(function*(place: Place) {
  if (!(yield* tryOwn(place))) {
    yield* retryEvery("20 millis", join(place))
    yield* Effect.forkScoped(follow(place))
    yield* retryEvery("100 millis", tryOwn(place))
    yield* Effect.logInfo("The owner of the embedded PostgreSQL has ended; this process takes it over")
    yield* release(place.joined)
  }
  return yield* own(place)
})

/** Keeps a server running; ends only by failing before the first one was ready. */
const own = Effect.fnUntraced(function*(place: Place) {
  const { home } = place.plan
  while (true) {
    const postmaster = yield* runningServer(place).pipe(
      Effect.tapError((error) =>
        Effect.when(Effect.logError("The embedded PostgreSQL does not start", error), Deferred.isDone(place.url))),
      Effect.retry({
        schedule: Schedule.min([Schedule.exponential("100 millis"), Schedule.spaced("5 seconds")]),
        while: () => Deferred.isDone(place.url)
      })
    )
    yield* announce(place, postmaster)
    yield* PostgresServer.awaitEnd(home, postmaster)
    yield* Ref.set(place.status, "restarting")
    yield* Effect.logWarning(`The embedded PostgreSQL (pid ${postmaster.pid}) has ended; it is started again. Its log: ${home.log}`)
  }
})

/** The one that runs already, else a new one; ready either way. */
const runningServer = Effect.fnUntraced(function*(place: Place): Effect.fn.Return<Postmaster, EmbeddedPostgresError, FileSystem.FileSystem> {
  const { home, binaries } = place.plan
  const running = yield* PostgresServer.find(home)
  if (running !== undefined) {
    // A server that its last owner was stopping ends instead of answering: then a new one follows.
    const ready = yield* PostgresServer.awaitReady(home, running).pipe(Effect.as(true), Effect.orElseSucceed(() => false))
    return ready ? running : yield* runningServer(place)
  }
  yield* PostgresCluster.ensure(home, binaries)
  const told = yield* Deferred.isDone(place.url)
  const port = told ? yield* PostgresServer.keptPort(home) : yield* PostgresServer.choosePort(home)
  const postmaster = yield* PostgresServer.start(place.plan, port)
  yield* PostgresServer.awaitReady(home, postmaster)
  return postmaster
})

/** As a joiner: waits for the owner's server, then keeps the status true. */
const follow = (place: Place) =>
  Effect.gen(function*() {
    const postmaster = yield* PostgresServer.find(place.plan.home)
    if (postmaster === undefined) return yield* Ref.set(place.status, "restarting")
    yield* PostgresServer.awaitReady(place.plan.home, postmaster)
    yield* announce(place, postmaster)
    yield* PostgresServer.awaitEnd(place.plan.home, postmaster)
    yield* Ref.set(place.status, "restarting")
  }).pipe(
    // The owner reports and repairs; a joiner looks again.
    Effect.ignore,
    Effect.repeat({ until: () => isOwner(place), schedule: Schedule.spaced("50 millis") })
  )

const announce = Effect.fnUntraced(function*(place: Place, postmaster: Postmaster) {
  yield* Ref.set(place.status, "running")
  yield* Deferred.succeed(place.url, PostgresServer.urlOf(place.plan.home, postmaster.port))
})

const tryOwn = (place: Place) => take(FileLock.tryExclusive(place.plan.home.ownerLock), place.owner)
/** Refused for the moment in which an owner stops the server. */
const join = (place: Place) => take(FileLock.tryShared(place.plan.home.joinedLock), place.joined)

const take = (attempt: Effect.Effect<HeldLock | undefined, EmbeddedPostgresError>, into: Ref.Ref<HeldLock | undefined>) =>
  Effect.uninterruptible(Effect.flatMap(attempt, (lock) => Effect.as(Ref.set(into, lock), lock !== undefined)))

const release = (held: Ref.Ref<HeldLock | undefined>) =>
  Effect.flatMap(Ref.getAndSet(held, undefined), (lock) => lock?.release ?? Effect.void)

const isOwner = (place: Place) => Effect.map(Ref.get(place.owner), (lock) => lock !== undefined)

const retryEvery = (pause: "20 millis" | "100 millis", attempt: Effect.Effect<boolean, EmbeddedPostgresError>) =>
  Effect.repeat(attempt, { until: (done) => done, schedule: Schedule.spaced(pause) })

/** Nobody can join while the server stops: joiners wait for the lock, then find it free and start their own. */
const leave = Effect.fnUntraced(function*(place: Place) {
  if (yield* isOwner(place)) {
    const alone = yield* FileLock.tryExclusive(place.plan.home.joinedLock)
    if (alone !== undefined) yield* Effect.ensuring(PostgresServer.stop(place.plan.home), alone.release)
    else yield* Effect.logInfo("The embedded PostgreSQL keeps running for the other processes that use it")
  }
  yield* release(place.joined)
  yield* release(place.owner)
}, Effect.catch((error) => Effect.logError("The embedded PostgreSQL was not stopped", error)))

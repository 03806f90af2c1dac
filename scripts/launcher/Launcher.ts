/**
 * EngLog on one machine: the API (which brings its PostgreSQL) and one worker, as separate processes.
 *
 * Says one line when both work together. The worker is started again when it ends unexpectedly; when the API ends, all
 * ends with its exit code. Stopping goes worker first, so that it can hand in what it has finished.
 */
import { Console, Effect, Random, Ref, Schedule, Schema } from "effect"
import { FetchHttpClient, HttpClient } from "effect/http"
import { hostname } from "node:os"
import { runProgram, type RunningProgram } from "./ChildProcess.ts"
import { isFree } from "./Ports.ts"

export class LaunchError extends Schema.TaggedError<LaunchError>()("LaunchError", {
  message: Schema.String,
  exitCode: Schema.Int
}) {}

export interface LaunchOptions {
  /** Arguments of `node`. */
  readonly api: ReadonlyArray<string>
  readonly worker: ReadonlyArray<string>
  readonly env: Readonly<Record<string, string | undefined>>
}

/** Answers the API's exit code. Interruption stops both. */
export const launch = Effect.fn("Launcher.launch")(function*(options: LaunchOptions) {
  const addresses = addressesOf(options.env)
  yield* refuseTaken("HTTP_PORT", addresses.http)
  yield* refuseTaken("GRPC_PORT", addresses.grpc)
  const api = yield* runProgram({ name: "api", args: options.api, env: options.env, grace: "30 seconds" })
  const together = Effect.gen(function*() {
    yield* answers200(`${addresses.url}/ready`)
    const connected = yield* Ref.make(false)
    return yield* Effect.raceFirst(
      keepWorker(options, addresses, connected),
      Ref.get(connected).pipe(
        Effect.repeat({ until: (yes) => yes, schedule: poll }),
        Effect.andThen(Console.log(`EngLog is ready: docs ${addresses.url}/docs · health ${addresses.url}/health`)),
        Effect.andThen(Effect.never)
      )
    )
  })
  return yield* Effect.raceFirst(api.exit, together)
}, Effect.scoped, Effect.provide(FetchHttpClient.layer))

const poll = Schedule.spaced("40 millis")

interface Address {
  readonly host: string
  readonly port: number
}

interface Addresses {
  readonly http: Address
  readonly grpc: Address
  /** Of the API, as a browser on this machine reaches it. */
  readonly url: string
}

const addressesOf = (env: LaunchOptions["env"]): Addresses => {
  const http = { host: env["HTTP_HOST"] || "127.0.0.1", port: portOf(env["HTTP_PORT"], 8080) }
  const grpc = { host: env["GRPC_HOST"] || "127.0.0.1", port: portOf(env["GRPC_PORT"], 50051) }
  return { http, grpc, url: `http://${reachable(http.host)}:${http.port}` }
}

/** A value that is no port is the API's to refuse, by name. */
const portOf = (value: string | undefined, otherwise: number): number =>
  value !== undefined && /^\d{1,5}$/.test(value) && Number(value) <= 65_535 ? Number(value) : otherwise

const reachable = (host: string): string =>
  host === "0.0.0.0" || host === "::" ? "127.0.0.1" : host.includes(":") ? `[${host}]` : host

const refuseTaken = Effect.fnUntraced(function*(variable: string, { host, port }: Address) {
  if (port === 0 || (yield* isFree(host, port))) return
  return yield* new LaunchError({
    message: `${variable} ${port} on ${host} is already in use; set ${variable} to another port`,
    exitCode: 1
  })
})

/** Runs one worker after the other. A first one that ends before it was ever connected is a wrong start, told by it. */
const keepWorker = Effect.fnUntraced(function*(options: LaunchOptions, addresses: Addresses, connected: Ref.Ref<boolean>) {
  const once = Effect.scoped(Effect.gen(function*() {
    const worker = yield* startWorker(options, addresses)
    yield* Effect.forkScoped(Effect.andThen(worker.connected, Ref.set(connected, true)))
    const code = yield* worker.exit
    if (!(yield* Ref.get(connected))) {
      return yield* new LaunchError({ message: `the worker ended with ${code} before it was connected`, exitCode: code || 1 })
    }
    return yield* Effect.fail(code)
  }))
  return yield* once.pipe(
    Effect.tapError((code) => typeof code === "number" ? Console.error(`The worker ended with ${code}; it is started again.`) : Effect.void),
    Effect.retry({
      while: (error) => typeof error === "number",
      schedule: Schedule.min([Schedule.exponential("500 millis"), Schedule.spaced("30 seconds")]).pipe(Schedule.jittered)
    }),
    Effect.catchIf((error) => typeof error === "number", () => Effect.never)
  )
})

const startWorker = Effect.fnUntraced(function*({ env, worker }: LaunchOptions, { grpc }: Addresses) {
  const id = env["WORKER_ID"] || `${hostname()}-${process.pid}-${(yield* Random.nextIntBetween(0, 0x1000000)).toString(16)}`
  const program: RunningProgram = yield* runProgram({
    name: "worker",
    args: worker,
    grace: "60 seconds",
    env: {
      ...env,
      WORKER_ID: id,
      API_SERVER_GRPC_ADDRESS: env["API_SERVER_GRPC_ADDRESS"] || `${reachable(grpc.host)}:${grpc.port}`
    }
  })
  return { exit: program.exit, connected: answersAsWorker(id, env) }
})

/** Refusals while a program starts are what is being waited out. */
const retried = <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.ignore(Effect.retry(effect, poll))

const get = (url: string) =>
  HttpClient.get(url).pipe(
    Effect.flatMap((response) => Effect.map(response.text, (body) => ({ status: response.status, body }))),
    Effect.timeout("2 seconds")
  )

const answers200 = (url: string) =>
  retried(Effect.flatMap(get(url), ({ status }) => status === 200 ? Effect.void : Effect.fail("not yet")))

/**
 * A worker's `/health` answers 200 while it is connected. Where no port was asked for, it has taken the next free one from
 * 8091, as other workers on this machine do: its id tells it from them.
 */
const answersAsWorker = (id: string, env: LaunchOptions["env"]) => {
  const host = reachable(env["WORKER_HEALTH_HOST"] || "127.0.0.1")
  const asked = env["WORKER_HEALTH_PORT"]
  const ports = asked ? [portOf(asked, 8091)] : Array.from({ length: 20 }, (_, index) => 8091 + index)
  return retried(Effect.firstSuccessOf(ports.map((port) =>
    Effect.flatMap(get(`http://${host}:${port}/health`), ({ status, body }) =>
      status === 200 && body.includes(JSON.stringify(id)) ? Effect.void : Effect.fail("not this one"))
  )))
}

/** Processes of compared systems: started with Node's own channel to their parent, asked by name, gone when their scope ends. */
import { Effect, Schema, type Scope } from "effect"
import { type ChildProcess, fork } from "node:child_process"
import { fileURLToPath } from "node:url"
import { heapFlags } from "../../scripts/launcher/Programs.ts"
import { type Answer, type Name, type Payload, Questions, Reply } from "./Protocol.ts"

export class BenchError extends Schema.TaggedError<BenchError>()("BenchError", { system: Schema.String, message: Schema.String }) {}

export interface BenchProcess {
  readonly pid: number
  /** Its engine and role. */
  readonly role: string
  readonly ask: <N extends Name>(name: N, payload: Payload<N>) => Effect.Effect<Answer<N>, BenchError>
  /** A failure of the system that it belongs to. */
  readonly fail: (message: string) => BenchError
  /** kill -9; answers when it has gone. */
  readonly kill: Effect.Effect<void>
}

export interface ProcessOptions {
  /** For messages. */
  readonly system: string
  readonly engine: string
  readonly role: "submitter" | "worker"
  readonly variant: string
  readonly url: string
  readonly env?: Readonly<Record<string, string>>
}

const program = fileURLToPath(new URL("./Child.ts", import.meta.url))
const decodeReply = Schema.decodeUnknownSync(Reply)

/** Answers when the process is ready. Ours run with the flags that `npm run api` and `npm run worker` give them, by HEAP. */
export const startProcess = Effect.fnUntraced(function*(options: ProcessOptions): Effect.fn.Return<BenchProcess, BenchError, Scope.Scope> {
  const { system } = options
  const fail = (message: string) => new BenchError({ system, message: `${system}: ${message}` })
  const flags = yield* Effect.mapError(heapFlags, ({ message }) => fail(message))
  const child = yield* Effect.acquireRelease(Effect.sync(() => start(options, flags)), stop)
  const waiting = new Map<number, (reply: Effect.Effect<unknown, BenchError>) => void>()
  let nextId = 1
  child.on("message", (message) => {
    const { answer, id, problem } = decodeReply(message)
    const resume = waiting.get(id)
    waiting.delete(id)
    resume?.(problem === null ? Effect.succeed(answer) : Effect.fail(fail(problem)))
  })
  child.once("exit", (code, signal) => {
    for (const resume of waiting.values()) resume(Effect.fail(fail(`its ${options.role} ended with ${signal ?? code}`)))
    waiting.clear()
  })
  const reply = (id: number, send: () => void) =>
    Effect.callback<unknown, BenchError>((resume) => {
      waiting.set(id, resume)
      send()
    })
  yield* reply(0, () => {})
  return {
    pid: child.pid ?? 0,
    role: `${options.engine}-${options.role}`,
    fail,
    ask: (name, payload) =>
      Effect.suspend(() => {
        const id = nextId++
        const decode = Schema.decodeUnknownEffect(Questions[name].answer)
        return reply(id, () => child.send({ id, name, payload })).pipe(
          Effect.flatMap((answer) => Effect.mapError(decode(answer), (error) => fail(`${name}: ${error.message}`)))
        )
      }),
    kill: stop(child)
  }
})

const start = ({ engine, env, role, url, variant }: ProcessOptions, flags: ReadonlyArray<string>): ChildProcess =>
  fork(program, [engine, role, variant, url], {
    env: { PATH: process.env["PATH"], HOME: process.env["HOME"], NODE_NO_WARNINGS: "1", ...env },
    execArgv: engine.startsWith("englog") ? [...flags] : [],
    stdio: ["ignore", "inherit", "inherit", "ipc"],
    serialization: "advanced"
  })

/** What the processes do ends with them; nothing waits for a good order. */
const stop = (child: ChildProcess) =>
  Effect.callback<void>((resume) => {
    if (child.exitCode !== null || child.signalCode !== null) return resume(Effect.void)
    child.once("exit", () => resume(Effect.void))
    child.kill("SIGKILL")
  })

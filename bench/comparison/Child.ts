/**
 * A process of a compared system: `node Child.ts engine role variant url`. Answers the questions of Protocol.ts until its parent
 * goes.
 */
import { Schema } from "effect"
import * as fs from "node:fs/promises"
import { Session } from "node:inspector/promises"
import { type Engine, type Handler, now, type Submitter, type Worker } from "./Engine.ts"
import { type Answer, type Name, type Payload, Question, Questions } from "./Protocol.ts"

/** Loaded by name, so that no process carries another system's code. */
const engines: Readonly<Record<string, () => Promise<Engine>>> = {
  raw: async () => (await import("./engines/RawFloor.ts")).RawFloor,
  "graphile-worker": async () => (await import("./engines/GraphileWorker.ts")).GraphileWorker,
  "pg-boss": async () => (await import("./engines/PgBossEngine.ts")).PgBossEngine,
  bullmq: async () => (await import("./engines/BullMq.ts")).BullMq,
  "englog-api": async () => (await import("./englog/ApiEngine.ts")).ApiEngine,
  "englog-rpc": async () => (await import("./englog/RpcEngine.ts")).RpcEngine,
  "englog-worker": async () => (await import("./englog/WorkerEngine.ts")).WorkerEngine
}

type Answers = { readonly [N in Name]: (payload: Payload<N>) => Promise<Answer<N>> }

/** Where this process's CPU time goes between two questions: not its start, and not its warm-up. */
const profiling = (): Partial<Answers> => {
  const session = new Session()
  return {
    profile: async () => {
      session.connect()
      await session.post("Profiler.enable")
      await session.post("Profiler.setSamplingInterval", { interval: 500 })
      await session.post("Profiler.start")
      return null
    },
    profiled: async ({ file }) => {
      const { profile } = await session.post("Profiler.stop")
      session.disconnect()
      await fs.writeFile(file, JSON.stringify(profile))
      return null
    }
  }
}

const missing = () => Promise.reject(new Error("this process has the other role"))

const submitting = (submitter: Submitter): Partial<Answers> => ({
  enqueueFor: ({ callers, ms }) => submitter.enqueueFor(callers, ms),
  enqueueBulkFor: ({ ms, size }) => submitter.enqueueBulkFor(size, ms),
  preload: ({ count, ms }) => submitter.preload(count, ms).then(() => null),
  pace: ({ count, perSecond }) => submitter.pace(count, perSecond),
  open: () => submitter.open(),
  clear: () => submitter.clear().then(() => null),
  idleListeners: ({ count }) => submitter.idleListeners(count).then(() => null),
  address: () => Promise.resolve(submitter.address())
})

const working = (worker: Worker): Partial<Answers> => {
  let stop = () => Promise.resolve()
  let starts: Array<number> = []
  let finished = new Set<number>()
  let first = 0
  let last = 0
  /** Called after each start and end of a handler. */
  let noticed = () => {}
  const until = (condition: () => boolean) =>
    new Promise<void>((resolve) => {
      noticed = () => {
        if (condition()) resolve()
      }
      noticed()
    })
  const end = (n: number) => {
    last = now()
    finished.add(n)
    noticed()
  }
  const handle: Handler = ({ ms, n }) => {
    const at = now()
    if (first === 0) first = at
    starts[n] ??= at
    if (ms === 0) {
      end(n)
      return undefined
    }
    noticed()
    return new Promise((resolve) => setTimeout(() => {
      end(n)
      resolve()
    }, ms))
  }
  return {
    work: async ({ concurrency }) => {
      starts = []
      finished = new Set()
      first = last = 0
      stop = await worker.work(concurrency, handle)
      return null
    },
    rest: () => stop().then(() => null),
    handled: async ({ count, ms }) => {
      let timer: NodeJS.Timeout | undefined
      const tooLong = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, ms)
      })
      await Promise.race([until(() => finished.size >= count), tooLong])
      clearTimeout(timer)
      return { count: finished.size, first, last, starts: Array.from(starts, (at) => at ?? 0) }
    },
    started: ({ count }) => until(() => starts.filter((at) => at !== undefined).length >= count).then(() => null)
  }
}

const isName = (name: string): name is Name => name in Questions
const send = (id: number, answer: unknown, problem: string | null) => void process.send?.({ id, answer, problem })
const textOf = (error: unknown) => error instanceof Error ? error.stack ?? error.message : String(error)

const answersOf = async (): Promise<Partial<Answers>> => {
  const [name = "", role = "", variant = "", url = ""] = process.argv.slice(2)
  const load = engines[name]
  if (load === undefined) throw new Error(`there is no engine ${name}`)
  const engine = await load()
  const answers = role === "submitter" ? submitting(await engine.submitter({ url, variant })) : working(await engine.worker({ url, variant }))
  return { ...answers, ...profiling() }
}

const answer = <N extends Name>(answers: Partial<Answers>, name: N, payload: unknown): Promise<unknown> => {
  const decode = Schema.decodeUnknownSync(Schema.Struct(Questions[name].payload))
  const ask: ((payload: never) => Promise<unknown>) | undefined = answers[name]
  return ask === undefined ? missing() : Reflect.apply(ask, undefined, [decode(payload)])
}

const decodeQuestion = Schema.decodeUnknownSync(Question)

process.on("disconnect", () => process.exit(0))
answersOf().then((answers) => {
  process.on("message", (message) => {
    const { id, name, payload } = decodeQuestion(message)
    const asked = isName(name) ? answer(answers, name, payload) : Promise.reject(new Error(`${name} is not a question`))
    asked.then((answer) => send(id, answer, null), (error) => send(id, null, textOf(error)))
  })
  send(0, null, null)
}, (error) => send(0, null, textOf(error)))

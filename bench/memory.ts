/**
 * `npm run bench:memory`: resident memory (VmRSS) of the API and of the worker, each a process of its own: when they are
 * ready, right after a load of insights, and after ten idle seconds. PostgreSQL's processes are not in it. Linux only.
 */
import { Effect } from "effect"
import { Installation } from "@englog/e2e/Installation"
import { residentMiB } from "@englog/e2e/Resident"
import { note, report } from "./Figures.ts"
import { askers, idle, submit } from "./Load.ts"
import { runBench } from "./runBench.ts"

const TASKS = 500
const CONCURRENCY = 10
/** 150 MB */
const TARGET_MIB = 143

runBench(Effect.gen(function*() {
  const installation = yield* Installation
  const api = yield* installation.startApi()
  const worker = yield* installation.startWorker("bench")
  const now = Effect.all({ api_mib: residentMiB(api.pid), worker_mib: residentMiB(worker.pid) })
  const ready = yield* now
  const people = yield* askers(api.url, 5)
  const [first] = people
  if (first === undefined) return
  yield* note(`${TASKS} insights`)
  yield* Effect.forEach(people, (asker) => Effect.replicateEffect(submit(asker), TASKS / people.length, { concurrency: CONCURRENCY / people.length }), {
    concurrency: people.length
  })
  yield* idle(api.url, first)
  const loaded = yield* now
  yield* Effect.sleep("10 seconds")
  yield* report("memory", { tasks: TASKS, ready, loaded, idle: yield* now, target: { api_mib: TARGET_MIB, worker_mib: TARGET_MIB } })
}))

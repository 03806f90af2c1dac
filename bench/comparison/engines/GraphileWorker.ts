/** graphile-worker. Variants: `default`; `batched` with its local queue and batched completions, as its page on performance says. */
import { Logger, makeWorkerUtils, run as runWorker } from "graphile-worker"
import { Pool } from "pg"
import { loadOf } from "../Callers.ts"
import { type Engine, type Job, noAddress } from "../Engine.ts"

const TASK = "bench"
const LOCAL_QUEUE = 500

/** Warnings and errors alone. */
const logger = new Logger(() => (level, message) => {
  if (level === "error" || level === "warning") console.error(message)
})

const isJob = (payload: unknown): payload is Job => typeof payload === "object" && payload !== null && "n" in payload

export const GraphileWorker: Engine = {
  name: "graphile-worker",
  submitter: async ({ url }) => {
    const pool = new Pool({ connectionString: url, max: 16 })
    pool.on("error", (error) => console.error(error))
    pool.on("connect", (client) => client.on("error", (error) => console.error(error)))
    const utils = await makeWorkerUtils({ pgPool: pool, logger })
    await utils.migrate()
    return {
      ...loadOf({
        one: (job) => utils.addJob(TASK, job),
        many: (jobs) => utils.addJobs(jobs.map((payload) => ({ identifier: TASK, payload })))
      }),
      open: async () => (await pool.query("SELECT 1 FROM graphile_worker._private_jobs LIMIT 1")).rows.length > 0,
      clear: async () => void (await pool.query("TRUNCATE graphile_worker._private_jobs")),
      idleListeners: () => Promise.reject(new Error("graphile-worker has no listeners of single jobs")),
      address: noAddress
    }
  },
  worker: async ({ url, variant }) => ({
    work: async (concurrency, run) => {
      const runner = await runWorker({
        connectionString: url,
        concurrency,
        // As many connections as slots, as it advises itself, but not more than PostgreSQL is good for.
        maxPoolSize: Math.min(50, Math.max(10, concurrency)),
        noHandleSignals: true,
        logger,
        taskList: { [TASK]: (payload) => isJob(payload) ? run(payload) : undefined },
        ...(variant === "batched"
          ? { preset: { worker: { localQueue: { size: LOCAL_QUEUE }, completeJobBatchDelay: 0, failJobBatchDelay: 0 } } }
          : {})
      })
      return () => runner.stop()
    }
  })
}

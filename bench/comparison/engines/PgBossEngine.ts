/**
 * pg-boss. Variants: `default`, with as many workers as may run at once; `tuned`, woken by NOTIFY and fetching as
 * many jobs as may run at once for as long as there are more.
 */
import { Pool } from "pg"
import { PgBoss } from "pg-boss"
import { loadOf } from "../Callers.ts"
import { type Engine, type Job, noAddress, type Settings } from "../Engine.ts"

const QUEUE = "bench"

const boss = async ({ url, variant }: Settings) => {
  const started = new PgBoss({ connectionString: url, max: 16, useListenNotify: variant === "tuned" })
  started.on("error", (error) => console.error(error))
  await started.start()
  return started
}

export const PgBossEngine: Engine = {
  name: "pg-boss",
  submitter: async (settings) => {
    const { url, variant } = settings
    const pool = new Pool({ connectionString: url, max: 2 })
    const queue = await boss(settings)
    await queue.createQueue(QUEUE, { notify: variant === "tuned" })
    return {
      ...loadOf({
        one: (job) => queue.send(QUEUE, job),
        many: (jobs) => queue.insert(QUEUE, jobs.map((data) => ({ data })))
      }),
      open: async () =>
        (await pool.query("SELECT 1 FROM pgboss.job WHERE name = $1 AND state IN ('created', 'retry', 'active') LIMIT 1", [QUEUE])).rows.length > 0,
      clear: async () => void (await queue.deleteAllJobs(QUEUE)),
      idleListeners: () => Promise.reject(new Error("pg-boss has no listeners of single jobs")),
      address: noAddress
    }
  },
  worker: async (settings) => {
    const queue = await boss(settings)
    const options = (concurrency: number) =>
      settings.variant === "tuned" ? { batchSize: concurrency, burstWhenBatchFull: true } : { localConcurrency: concurrency }
    return {
      work: async (concurrency, run) => {
        await queue.work<Job>(QUEUE, options(concurrency), async (jobs) => {
          await Promise.all(jobs.map(({ data }) => run(data)))
        })
        return () => queue.offWork(QUEUE)
      }
    }
  }
}

/** BullMQ. Variants: `postgres`, and `redis` where REDIS_URL says where one is; its `url` is that of Redis then. */
import { createPostgresBackend, Queue, withBackend, Worker } from "bullmq"
import { loadOf } from "../Callers.ts"
import { type Engine, type Job, noAddress, type Settings } from "../Engine.ts"

const QUEUE = "bench"

const OnPostgres = withBackend(createPostgresBackend)

const queueOf = async ({ url, variant }: Settings) => {
  const queue = variant === "redis"
    ? new Queue<Job>(QUEUE, { connection: { url } })
    : new OnPostgres.Queue<Job>(QUEUE, { connection: { connectionString: url, migrate: true, max: 16 } })
  queue.on("error", (error) => console.error(error))
  await queue.waitUntilReady()
  return queue
}

export const BullMq: Engine = {
  name: "bullmq",
  submitter: async (settings) => {
    const queue = await queueOf(settings)
    return {
      ...loadOf({
        one: (job) => queue.add("bench", job),
        many: (jobs) => queue.addBulk(jobs.map((data) => ({ name: "bench", data })))
      }),
      open: async () => Object.values(await queue.getJobCounts("waiting", "active", "delayed", "prioritized")).some((count) => count > 0),
      clear: () => queue.obliterate({ force: true }),
      idleListeners: () => Promise.reject(new Error("BullMQ has no listeners of single jobs")),
      address: noAddress
    }
  },
  worker: async ({ url, variant }) => ({
    work: async (concurrency, run) => {
      const handle = async ({ data }: { readonly data: Job }) => {
        await run(data)
      }
      const worker = variant === "redis"
        ? new Worker<Job>(QUEUE, handle, { connection: { url }, concurrency })
        : new OnPostgres.Worker<Job>(QUEUE, handle, { connection: { connectionString: url, max: 16 }, concurrency })
      worker.on("error", (error) => console.error(error))
      await worker.waitUntilReady()
      return () => worker.close()
    }
  })
}

/** Load made of promises: what the submitters of all systems but ours are measured with. */
import type { Accepted, Job, Paced, Submitter } from "./Engine.ts"
import { now } from "./Engine.ts"

export interface Calls {
  readonly one: (job: Job) => Promise<unknown>
  readonly many: (jobs: ReadonlyArray<Job>) => Promise<unknown>
}

const jobs = (from: number, count: number, ms = 0): ReadonlyArray<Job> => Array.from({ length: count }, (_, index) => ({ n: from + index, ms }))

/** How many jobs one call may hand in while a queue is filled for a later measurement. */
const CHUNK = 500

export const loadOf = ({ many, one }: Calls): Pick<Submitter, "enqueueFor" | "enqueueBulkFor" | "preload" | "pace"> => ({
  enqueueFor: (callers, ms) => repeated(callers, ms, 1, (n) => one({ n, ms: 0 })),
  enqueueBulkFor: (size, ms) => repeated(1, ms, size, (n) => many(jobs(n * size, size))),
  preload: async (count, ms) => {
    for (let from = 0; from < count; from += CHUNK) await many(jobs(from, Math.min(CHUNK, count - from), ms))
  },
  pace: (count, perSecond) => paced(count, perSecond, (n) => one({ n, ms: 0 }))
})

/** Until `ms` have passed; `size` is what one call counts for. */
const repeated = async (callers: number, ms: number, size: number, call: (n: number) => Promise<unknown>): Promise<Accepted> => {
  const began = now()
  let next = 0
  let accepted = 0
  const caller = async () => {
    while (now() - began < ms) {
      await call(next++)
      accepted += size
    }
  }
  await Promise.all(Array.from({ length: callers }, caller))
  return { count: accepted, ms: now() - began }
}

/** By the clock: what is late is caught up with, so that the rate holds. */
export const paced = (count: number, perSecond: number, call: (n: number) => Promise<unknown>): Promise<Paced> =>
  new Promise((resolve, reject) => {
    const called: Array<number> = []
    const acknowledged: Array<number> = Array.from({ length: count }, () => Number.NaN)
    const began = now()
    let answered = 0
    const tick = () => {
      while (called.length < count && now() - began >= called.length * 1_000 / perSecond) {
        const n = called.length
        called.push(now())
        call(n).then(() => {
          acknowledged[n] = now()
          if (++answered === count) resolve({ called, acknowledged })
        }, reject)
      }
      if (called.length < count) setTimeout(tick, Math.max(0, began + called.length * 1_000 / perSecond - now()))
    }
    tick()
  })

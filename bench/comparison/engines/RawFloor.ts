/**
 * The floor: what a loop written by hand reaches on PostgreSQL with nothing around it. It has no retries, no priorities, no
 * events, and loses its jobs with its process.
 *
 * Variants: `notify` wakes the worker with each insert, `plain` does not; `held` deletes a batch before it takes the
 * next one, `freed` takes the next one meanwhile.
 */
import { Client, Pool } from "pg"
import { loadOf } from "../Callers.ts"
import { type Engine, type Handler, type Job, noAddress, type Settings } from "../Engine.ts"

const TABLE = `
  CREATE TABLE IF NOT EXISTS raw_jobs (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    payload jsonb NOT NULL,
    taken boolean NOT NULL DEFAULT false
  ) WITH (fillfactor = 70);
  CREATE INDEX IF NOT EXISTS raw_jobs_ready ON raw_jobs (id) WHERE NOT taken`

const insertOne = { name: "insert_one", text: "INSERT INTO raw_jobs (payload) VALUES ($1)" }
const insertLoud = { name: "insert_loud", text: "WITH n AS (INSERT INTO raw_jobs (payload) VALUES ($1)) SELECT pg_notify('raw_jobs', '')" }
const insertMany = { name: "insert_many", text: "INSERT INTO raw_jobs (payload) SELECT value FROM jsonb_array_elements($1::jsonb)" }
const take = {
  name: "take",
  text: `UPDATE raw_jobs SET taken = true WHERE id = ANY (ARRAY(
    SELECT id FROM raw_jobs WHERE NOT taken ORDER BY id LIMIT $1 FOR UPDATE SKIP LOCKED)) RETURNING id, payload`
}
const finish = { name: "finish", text: "DELETE FROM raw_jobs WHERE id = ANY ($1::bigint[])" }

interface Row {
  readonly id: string
  readonly payload: Job
}

/** What a freed loop takes at once. */
const BATCH = 500
const IDLE_MS = 100

export const RawFloor: Engine = {
  name: "raw",
  submitter: async ({ url, variant }) => {
    const pool = new Pool({ connectionString: url, max: 16 })
    await pool.query(TABLE)
    const one = variant === "notify" ? insertLoud : insertOne
    return {
      ...loadOf({
        one: (job) => pool.query({ ...one, values: [JSON.stringify(job)] }),
        many: async (jobs) => {
          await pool.query({ ...insertMany, values: [JSON.stringify(jobs)] })
          if (variant === "notify") await pool.query("NOTIFY raw_jobs")
        }
      }),
      open: async () => (await pool.query("SELECT 1 FROM raw_jobs LIMIT 1")).rows.length > 0,
      clear: async () => void (await pool.query("TRUNCATE raw_jobs")),
      idleListeners: () => Promise.reject(new Error("the raw loop has no listeners")),
      address: noAddress
    }
  },
  worker: async (settings) => ({ work: (concurrency, run) => work(settings, concurrency, run) })
}

const work = async ({ url, variant }: Settings, concurrency: number, run: Handler): Promise<() => Promise<void>> => {
  const pool = new Pool({ connectionString: url, max: 4 })
  const listener = new Client({ connectionString: url })
  await listener.connect()
  let wake = () => {}
  listener.on("notification", () => wake())
  if (variant === "notify") await listener.query("LISTEN raw_jobs")
  const stop = new AbortController()
  const idle = () =>
    new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, IDLE_MS)
      wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  const remove = (rows: ReadonlyArray<Row>) => pool.query({ ...finish, values: [rows.map(({ id }) => id)] })
  const loop = async () => {
    let removed: Promise<unknown> = Promise.resolve()
    while (!stop.signal.aborted) {
      const { rows } = await pool.query<Row>({ ...take, values: [variant === "freed" ? BATCH : concurrency] })
      if (rows.length === 0) {
        await idle()
        continue
      }
      await runAll(rows, concurrency, run)
      if (variant !== "freed") {
        await remove(rows)
        continue
      }
      await removed
      removed = remove(rows)
    }
    await removed
  }
  const running = loop()
  return async () => {
    stop.abort()
    wake()
    await running
    await listener.end()
    await pool.end()
  }
}

const runAll = async (rows: ReadonlyArray<Row>, concurrency: number, run: Handler): Promise<void> => {
  for (let from = 0; from < rows.length; from += concurrency) {
    const waits = rows.slice(from, from + concurrency).map(({ payload }) => run(payload)).filter((wait) => wait !== undefined)
    if (waits.length > 0) await Promise.all(waits)
  }
}

/** Somebody who imports, and the worker that reads for them: what it hands in is what a test says. */
import { type Answer } from "../http/TestApi.ts"
import { Effect } from "effect"
import { workerFor } from "./Background.ts"
import { somebody } from "./Person.ts"

export interface Handed {
  readonly items?: ReadonlyArray<Record<string, unknown>>
  readonly problems?: ReadonlyArray<Record<string, unknown>>
  readonly problem_count?: number
  readonly skipped?: number
  readonly resume?: string | null
}

/** An item that was read: an hour of a meeting on 2026-03-03. */
export const item = (more: Record<string, unknown> = {}) => ({
  source: "calendar",
  external_id: "standup",
  occurrence: "",
  removed: false,
  title: "Standup",
  description: null,
  start_time: "2026-03-03T09:00:00.000Z",
  end_time: "2026-03-03T10:00:00.000Z",
  all_day: false,
  type: "meeting",
  impact_level: "team",
  tags: [],
  project: null,
  ...more
})

export const request = { calendar_data: [{ title: "x" }] }

/** `shared`: the worker of somebody else, which would take these tasks too. */
export const importer = Effect.fnUntraced(function*(more: Record<string, unknown> = {}, shared?: Effect.Success<ReturnType<typeof workerFor>>) {
  const person = yield* somebody(more)
  const worker = shared ?? (yield* workerFor(["IMPORT"]))
  const result = ({ items = [], problems = [], problem_count = problems.length, resume = null, skipped = 0 }: Handed) =>
    JSON.stringify({ items, problems, problem_count, skipped, resume })
  const take = (task_id: string) => worker.next.pipe(Effect.repeat({ until: (task) => task.task_id === task_id }))
  const started = Effect.fnUntraced(function*(body: unknown = request) {
    const accepted = yield* person.post("/v1/import/calendar", body)
    if (accepted.status !== 202) return yield* Effect.die(new Error(`not accepted: ${accepted.status} ${accepted.text}`))
    const task = yield* take(String(accepted.at("task_id")))
    return { task, id: String(accepted.at("import_id")) }
  })
  return {
    ...person,
    worker,
    take,
    result,
    started,
    read: (id: string) => person.get(`/v1/imports/${id}`),
    /** An import of which everything is handed in at once; answers what it came to. */
    imported: Effect.fnUntraced(function*(handed: Handed, body: unknown = request) {
      const { id, task } = yield* started(body)
      yield* worker.complete(task, result(handed))
      return yield* person.get(`/v1/imports/${id}`)
    }),
    inbox: person.get("/v1/inbox?from=2026-03-01&to=2026-03-31"),
    decide: (decisions: ReadonlyArray<Record<string, unknown>>, atomic = false) => person.post("/v1/inbox/decisions", { decisions, atomic })
  }
})

/** All proposals of an answer, in their order. */
export const proposals = (inbox: Answer): ReadonlyArray<Record<string, unknown>> => {
  const days = inbox.at("items")
  return Array.isArray(days) ? days.flatMap((_, day) => listed(inbox, day)) : []
}

const listed = (inbox: Answer, day: number): ReadonlyArray<Record<string, unknown>> => {
  const found = inbox.at("items", day, "proposals")
  return Array.isArray(found) ? found : []
}

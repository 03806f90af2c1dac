/**
 * Handles IMPORT: reads the source that the task names until the result is full, and hands in what was found. What is more, the API
 * has another task read.
 */
import type { ImportedItem, ImportProblem } from "@englog/domain/imports/ImportedItem"
import { ImportJob } from "@englog/domain/imports/ImportInput"
import { Import, MAX_ITEMS, MAX_PROBLEMS } from "@englog/domain/tasks/Import"
import { Effect, Option, Schema, Stream } from "effect"
import { type ImportPage, type MadeSource, PAGE } from "../import/ImportSource.ts"
import * as TaskHandler from "./TaskHandler.ts"

const decode = Schema.decodeEffect(Schema.fromJsonString(ImportJob))

/** Bytes of items after which no further page is taken: with a page of the longest there can be, a result stays below 1 MiB. */
const FULL = 400_000

export const importing = <E, R>(sources: ReadonlyArray<MadeSource<E, R>>) =>
  Effect.map(Effect.all(sources), (made) => {
    const byName = new Map(made.map((source) => [source.source, source]))
    return TaskHandler.make(Import, (_payload, context) =>
      Effect.gen(function*() {
        yield* context.progress(5, "Reading what is to be imported")
        const job = yield* Effect.flatMap(context.data, decode).pipe(
          // The cause would quote what is in it, a token perhaps.
          Effect.catchTag("SchemaError", () =>
            new TaskHandler.TaskFailure({ message: "the API server sent an import that this worker does not understand; update the worker" }))
        )
        const source = byName.get(job.input.source)
        if (source === undefined) {
          return yield* new TaskHandler.TaskFailure({ message: `this worker cannot import from ${job.input.source}; update the worker` })
        }
        const collected = yield* source.read(job, context.timeLeft).pipe(
          Stream.scan(() => nothing, add),
          Stream.tap(({ done, items }) => context.progress(Math.min(95, 10 + Math.floor(85 * done)), `Found ${items.length} items`)),
          Stream.takeUntil(isFull),
          Stream.runLast
        )
        const { bytes: _, done: __, ...result } = Option.getOrElse(collected, () => nothing)
        yield* context.progress(100, `Found ${result.items.length} items${result.problem_count === 0 ? "" : `; ${result.problem_count} could not be read`}`)
        yield* context.note({ import_source: source.source, items: result.items.length, problems: result.problem_count })
        return result
      }))
  })

interface Collected {
  readonly items: ReadonlyArray<ImportedItem>
  readonly problems: ReadonlyArray<ImportProblem>
  readonly problem_count: number
  readonly skipped: number
  readonly resume: string | null
  readonly bytes: number
  readonly done: number
}

const nothing: Collected = { items: [], problems: [], problem_count: 0, skipped: 0, resume: null, bytes: 0, done: 0 }

const add = (before: Collected, page: ImportPage): Collected => ({
  items: [...before.items, ...page.items],
  problems: [...before.problems, ...page.problems].slice(0, MAX_PROBLEMS),
  problem_count: before.problem_count + page.problems.length,
  skipped: before.skipped + page.skipped,
  resume: page.resume,
  bytes: before.bytes + Buffer.byteLength(JSON.stringify(page.items)),
  done: page.done
})

const isFull = ({ bytes, items }: Collected): boolean => bytes > FULL || items.length > MAX_ITEMS - PAGE

/**
 * One system from which work is imported: a stream of pages of what was found. A new source is a member of ImportInput and a file
 * that makes one of these, named in ImportSources.
 */
import type { ImportedItem, ImportProblem } from "@englog/domain/imports/ImportedItem"
import type { ImportInput, ImportJob, ImportSourceName } from "@englog/domain/imports/ImportInput"
import { Duration, Effect, Stream } from "effect"
import { TaskFailure } from "../handlers/TaskHandler.ts"

export interface ImportPage {
  /** At most `PAGE` of them. */
  readonly items: ReadonlyArray<ImportedItem>
  readonly problems: ReadonlyArray<ImportProblem>
  /** Outside the period. */
  readonly skipped: number
  /** From where the next page is read, by this task or by another one; it is kept sealed. Null: there is none. */
  readonly resume: string | null
  /** Of the whole, 0..1, as far as that can be told. */
  readonly done: number
}

export interface ImportSource {
  readonly source: ImportSourceName
  /** `timeLeft`: until the task's deadline; infinite where it is not given. */
  readonly read: (job: ImportJob, timeLeft?: Effect.Effect<Duration.Duration>) => Stream.Stream<ImportPage, TaskFailure>
}

export const PAGE = 50

export type InputOf<Name extends ImportSourceName> = Extract<ImportInput, { readonly source: Name }>

/** A source reads inputs of its own name only. */
export const make = <const Name extends ImportSourceName>(
  source: Name,
  read: (input: InputOf<Name>, job: ImportJob, timeLeft: Effect.Effect<Duration.Duration>) => Stream.Stream<ImportPage, TaskFailure>
): ImportSource => {
  const isOwn = (input: ImportInput): input is InputOf<Name> => input.source === source
  return {
    source,
    read: (job, timeLeft = Effect.succeed(Duration.infinity)) =>
      isOwn(job.input) ? read(job.input, job, timeLeft) : Stream.die(new Error(`an import from ${job.input.source} was given to ${source}`))
  }
}

/** How sources are made: with the services that they need. */
export type MadeSource<E, R> = Effect.Effect<ImportSource, E, R>

interface Found {
  /** All of them, in the order in which they were found. */
  readonly items: ReadonlyArray<ImportedItem>
  readonly problems: ReadonlyArray<ImportProblem>
  readonly skipped: number
}

/**
 * What was found at once, page by page, in the order of the items' names: a later part goes on after the last name that was handed in,
 * whatever has come or gone before it meanwhile.
 */
export const paged = ({ items, problems, skipped }: Found, resume: string | null): Stream.Stream<ImportPage> => {
  const named = items.map((item) => ({ item, name: nameOf(item) })).toSorted((a, b) => a.name < b.name ? -1 : a.name > b.name ? 1 : 0)
  const left = resume === null ? named : named.filter(({ name }) => name > resume)
  const pages = Math.max(1, Math.ceil(left.length / PAGE))
  return Stream.map(Stream.range(0, pages - 1), (page) => {
    const shown = left.slice(page * PAGE, (page + 1) * PAGE)
    return {
      items: shown.map(({ item }) => item),
      problems: page === 0 && resume === null ? problems : [],
      skipped: page === 0 && resume === null ? skipped : 0,
      resume: page === pages - 1 ? null : shown.at(-1)?.name ?? null,
      done: (page + 1) / pages
    }
  })
}

/** What kept a part from reading everything is told by that part, whichever it is. */
export const telling = (problems: ReadonlyArray<ImportProblem>) => (pages: Stream.Stream<ImportPage>): Stream.Stream<ImportPage> =>
  Stream.map(Stream.zipWithIndex(pages), ([page, index]) => index === 0 ? { ...page, problems: [...page.problems, ...problems] } : page)

const nameOf = ({ external_id, occurrence }: ImportedItem): string => `${external_id} ${occurrence}`

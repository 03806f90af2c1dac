/**
 * A lock between processes that the operating system releases when its holder dies, however it dies: SQLite's lock on an
 * empty database file (fcntl). Node offers no file lock of its own, a file with a pid goes stale, and pids are reused.
 *
 * The file holds nothing. It is never deleted: two processes could then hold locks on two files of one name.
 */
import { Effect, Option, Schema } from "effect"
import { DatabaseSync } from "node:sqlite"
import { type EmbeddedPostgresError, filesError } from "./EmbeddedPostgresError.ts"

export interface HeldLock {
  /** Safe to call twice. */
  readonly release: Effect.Effect<void>
}

/** Excludes every other holder, shared ones too. Answers undefined while somebody holds the lock; never waits. */
const tryExclusive = (file: string): Effect.Effect<HeldLock | undefined, EmbeddedPostgresError> =>
  take(file, (database) => database.exec("BEGIN EXCLUSIVE"))

/** Excludes exclusive holders only. Answers undefined while there is one; never waits. */
const tryShared = (file: string): Effect.Effect<HeldLock | undefined, EmbeddedPostgresError> =>
  take(file, (database) => {
    database.exec("BEGIN")
    database.prepare("SELECT count(*) FROM sqlite_schema").get()
  })

export const FileLock = { tryExclusive, tryShared } as const

const take = (file: string, begin: (database: DatabaseSync) => void) =>
  Effect.gen(function*() {
    const database = yield* Effect.try({
      try: () => new DatabaseSync(file, { timeout: 0 }),
      catch: lockError(file)
    })
    const release = Effect.sync(() => {
      if (database.isOpen) database.close()
    })
    return yield* Effect.try({ try: () => begin(database), catch: lockError(file) }).pipe(
      Effect.as(Option.some<HeldLock>({ release })),
      Effect.tapError(() => release),
      Effect.catchIf((error) => isBusy(error.cause), () => Effect.succeedNone),
      Effect.map(Option.getOrUndefined)
    )
  }).pipe(Effect.uninterruptible)

const lockError = (file: string) => (cause: unknown) =>
  filesError(`lock ${file}`)(cause instanceof Error ? cause : { message: String(cause) })

/** SQLITE_BUSY (https://sqlite.org/rescode.html#busy). */
const isBusy = Schema.is(Schema.Struct({ errcode: Schema.Literal(5) }))

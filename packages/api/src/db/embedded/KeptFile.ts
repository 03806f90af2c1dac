/**
 * Values that are made once and kept in a file: of several processes that make one at the same moment, all get the one
 * that was first. Written whole or not at all, flushed to disk, readable by the owner alone.
 */
import { Effect, FileSystem, Option } from "effect"
import type { PlatformError } from "effect/PlatformError"
import { randomUUID } from "node:crypto"

const readOrMake = Effect.fnUntraced(function*(
  file: string,
  make: Effect.Effect<string>
): Effect.fn.Return<string, PlatformError, FileSystem.FileSystem> {
  const existing = yield* read(file)
  if (existing !== undefined) return existing
  const fs = yield* FileSystem.FileSystem
  yield* withDraft(file, yield* make, (draft) =>
    fs.link(draft, file).pipe(Effect.catchIf((error) => error.reason._tag === "AlreadyExists", () => Effect.void)))
  return (yield* fs.readFileString(file)).trim()
})

/** Undefined where there is no such file. */
const read = Effect.fnUntraced(function*(file: string) {
  const fs = yield* FileSystem.FileSystem
  return yield* fs.readFileString(file).pipe(
    Effect.map((text) => Option.some(text.trim())),
    Effect.catchIf((error) => error.reason._tag === "NotFound", () => Effect.succeedNone),
    Effect.map(Option.getOrUndefined)
  )
})

/** Replaces what was kept. */
const write = Effect.fnUntraced(function*(file: string, text: string) {
  const fs = yield* FileSystem.FileSystem
  yield* withDraft(file, text, (draft) => fs.rename(draft, file))
})

export const KeptFile = { readOrMake, read, write } as const

const withDraft = <A, E, R>(file: string, text: string, use: (draft: string) => Effect.Effect<A, E, R>) =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const draft = `${file}.${randomUUID()}`
    return yield* Effect.acquireUseRelease(
      Effect.scoped(Effect.gen(function*() {
        const opened = yield* fs.open(draft, { flag: "wx", mode: 0o600 })
        yield* opened.writeAll(new TextEncoder().encode(`${text}\n`))
        yield* opened.sync
      })),
      () => use(draft),
      () => Effect.ignore(fs.remove(draft, { force: true }))
    )
  })

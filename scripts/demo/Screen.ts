/**
 * What the demo says while it runs: lines, and one line that changes in place where a person is watching. Its output is
 * standard error where standard output is to hold the result alone.
 */
import { Effect, Ref, type Scope } from "effect"
import type { WriteStream } from "node:tty"

export interface Screen {
  readonly width: number
  readonly say: (line: string) => Effect.Effect<void>
  /** Takes the place of the one before it. */
  readonly progress: (line: string) => Effect.Effect<void>
}

type Output = NodeJS.WritableStream & Partial<Pick<WriteStream, "isTTY" | "columns">>

export const makeScreen = (output: Output): Effect.Effect<Screen, never, Scope.Scope> =>
  Effect.gen(function*() {
    const isWatched = output.isTTY === true
    const shown = yield* Ref.make("")
    const write = (text: string) => Effect.sync(() => void output.write(text))
    const endProgress = Effect.flatMap(Ref.getAndSet(shown, ""), (line) => isWatched && line !== "" ? write("\n") : Effect.void)
    yield* Effect.addFinalizer(() => endProgress)
    const width = Math.min(100, Math.max(40, output.columns ?? 100))
    return {
      width,
      say: (line) => Effect.andThen(endProgress, write(`${line}\n`)),
      progress: (line) =>
        Effect.flatMap(Ref.getAndSet(shown, line), (before) =>
          before === line ? Effect.void : write(isWatched ? `\r\u001b[K${[...line].slice(0, width - 1).join("")}` : `${line}\n`))
    }
  })

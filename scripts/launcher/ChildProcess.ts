/**
 * A Node program that runs as long as its scope: asked to end by SIGTERM, forced after a grace. Its output goes
 * straight to ours.
 *
 * It leads a process group of its own, so that Ctrl-C reaches the launcher alone, which decides who ends when; and it
 * hangs on a pipe from here (EndWithParent.js), so that it ends as well when the launcher is killed.
 */
import { Deferred, type Duration, Effect, type Scope } from "effect"
import { spawn } from "node:child_process"
import { fileURLToPath } from "node:url"

export interface Program {
  readonly name: string
  /** Of `node`: the file to run and its arguments. */
  readonly args: ReadonlyArray<string>
  readonly env: Readonly<Record<string, string | undefined>>
  /** From SIGTERM to SIGKILL. */
  readonly grace: Duration.Input
}

export interface RunningProgram {
  /** The exit code, once it has ended; 128 + the signal's number where a signal ended it. */
  readonly exit: Effect.Effect<number>
}

const endWithParent = fileURLToPath(new URL("./EndWithParent.js", import.meta.url))
const signalNumbers: Readonly<Record<string, number>> = { SIGHUP: 1, SIGINT: 2, SIGQUIT: 3, SIGABRT: 6, SIGKILL: 9, SIGSEGV: 11, SIGTERM: 15 }

export const runProgram = (program: Program): Effect.Effect<RunningProgram, never, Scope.Scope> =>
  Effect.map(
    Effect.acquireRelease(Effect.sync(() => start(program)), ({ kill, exit }) =>
      Effect.andThen(
        kill("SIGTERM"),
        Effect.timeoutOrElse(exit, { duration: program.grace, orElse: () => Effect.andThen(kill("SIGKILL"), exit) })
      )),
    ({ exit }) => ({ exit })
  )

const start = (program: Program) => {
  const ended = Deferred.makeUnsafe<number>()
  const child = spawn(process.execPath, ["--import", endWithParent, ...program.args], {
    env: program.env,
    stdio: ["pipe", "inherit", "inherit"],
    detached: true
  })
  child.once("error", () => Deferred.doneUnsafe(ended, Effect.succeed(127)))
  child.once("exit", (code, signal) => Deferred.doneUnsafe(ended, Effect.succeed(code ?? 128 + (signalNumbers[signal ?? ""] ?? 0))))
  return { exit: Deferred.await(ended), kill: (signal: NodeJS.Signals) => Effect.sync(() => void child.kill(signal)) }
}

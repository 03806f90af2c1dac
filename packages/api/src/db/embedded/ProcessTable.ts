/**
 * Which processes run, by pid and command line. Command lines are read, not working directories or executables: those
 * of another user are closed to root in a container without CAP_SYS_PTRACE. A zombie has none, and so counts as gone.
 */
import { Effect, FileSystem } from "effect"
import { execFile } from "node:child_process"

export interface RunningProcess {
  readonly pid: number
  readonly command: string
}

const procfs = process.platform === "linux"

/** Undefined where no such process runs. */
const find = (pid: number): Effect.Effect<RunningProcess | undefined, never, FileSystem.FileSystem> =>
  procfs ? readProc(pid) : Effect.map(ps(["-p", String(pid)]), (list) => list[0])

const list: Effect.Effect<ReadonlyArray<RunningProcess>, never, FileSystem.FileSystem> = procfs
  ? Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const names = yield* fs.readDirectory("/proc").pipe(Effect.orElseSucceed((): ReadonlyArray<string> => []))
    const found = yield* Effect.forEach(names.filter((name) => /^\d+$/.test(name)), (name) => readProc(Number(name)), {
      concurrency: 16
    })
    return found.filter((one) => one !== undefined)
  })
  : ps(["-ax"])

/** Sends a signal; a process that is already gone is not a failure. */
const signal = (pid: number, name: NodeJS.Signals): Effect.Effect<void> =>
  Effect.ignore(Effect.try(() => process.kill(pid, name)))

export const ProcessTable = { find, list, signal } as const

const readProc = (pid: number) =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    // A process that ends between listing and reading has no command line: the same as not running.
    const text = yield* fs.readFileString(`/proc/${pid}/cmdline`).pipe(Effect.orElseSucceed(() => ""))
    const command = text.replaceAll("\0", " ").trim()
    return command === "" ? undefined : { pid, command }
  })

function ps(args: ReadonlyArray<string>): Effect.Effect<ReadonlyArray<RunningProcess>> {
  return Effect.callback((resume) => {
    const child = execFile("ps", [...args, "-ww", "-o", "pid=,command="], { maxBuffer: 16_000_000 }, (_, stdout) =>
      resume(Effect.succeed(
        stdout.split("\n").flatMap((line) => {
          const match = /^\s*(\d+)\s+(.+)$/.exec(line)
          return match === null || match[2] === undefined ? [] : [{ pid: Number(match[1]), command: match[2] }]
        })
      )))
    return Effect.sync(() => child.kill())
  })
}

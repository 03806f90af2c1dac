/**
 * A Node program of ours under test: started with exactly the environment given, its output kept line by line, killed,
 * frozen and continued at will, and gone for certain when its scope ends.
 */
import { Config, Deferred, Duration, Effect, Option, Schedule, Schema, type Scope } from "effect"
import { spawn } from "node:child_process"
import { randomUUID } from "node:crypto"
import * as fs from "node:fs"
import { tmpdir } from "node:os"
import * as path from "node:path"
import { StringDecoder } from "node:string_decoder"
import { fileURLToPath } from "node:url"
import { type NodeCommand, nodeCommand, type ProgramName } from "../../../scripts/launcher/Programs.ts"

/** What was waited for did not come; `output` is the end of what the program said. */
export class ProgramError extends Schema.TaggedError<ProgramError>()("ProgramError", {
  program: Schema.String,
  problem: Schema.String,
  output: Schema.String
}) {
  override get message(): string {
    return `${this.program}: ${this.problem}; it said:\n${this.output}`
  }
}

export interface ProgramOptions {
  readonly name: string
  /** One of ours, run as the project's commands run it, or the file that `node` runs. */
  readonly main: ProgramName | { readonly file: string; readonly args?: ReadonlyArray<string> }
  readonly env: Readonly<Record<string, string>>
}

export interface RunningProgram {
  readonly pid: number
  /** Standard output and error, as they came until now. */
  readonly lines: ReadonlyArray<string>
  readonly signal: (name: NodeJS.Signals) => Effect.Effect<void>
  /** The exit code, once it has ended; 128 + 9 after SIGKILL, 128 + 15 after SIGTERM that it did not handle. */
  readonly exit: Effect.Effect<number>
  /** Sends the signal and answers the exit code. */
  readonly end: (name: "SIGTERM" | "SIGKILL") => Effect.Effect<number>
  /** The first capturing group of the first line that matches, once there is one. */
  readonly said: (pattern: RegExp) => Effect.Effect<string, ProgramError>
}

/** How long a program may take to say what is expected of it, on a machine that is busy with other tests. */
const PATIENCE = Duration.seconds(30)

/** Killed when the scope ends; whoever wants a stop in good order asks for it before. */
export const runProgram = (options: ProgramOptions): Effect.Effect<RunningProgram, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.map(Effect.all([inherited, commandOf(options.main)]), ([base, { args, env }]) =>
      start(options.name, args, { ...base, ...env, ...options.env })),
    // A frozen process dies of SIGKILL as well.
    (program) => program.end("SIGKILL")
  )

/** Ends the program as by SIGTERM when the test runner is killed, too early for any scope to end. */
const endWithParent = fileURLToPath(new URL("../../../scripts/launcher/EndWithParent.js", import.meta.url))

const commandOf = (main: ProgramOptions["main"]): Effect.Effect<NodeCommand> =>
  typeof main === "string" ? Effect.orDie(nodeCommand(main)) : Effect.succeed({ args: [main.file, ...main.args ?? []], env: {} })

/** A developer's own OLLAMA_URL or DATABASE_URL must not reach the programs under test. */
const inherited = Effect.gen(function*() {
  const base: Record<string, string> = {}
  for (const name of ["PATH", "HOME", "TMPDIR"]) {
    const value = yield* Config.option(Config.String(name))
    if (Option.isSome(value)) base[name] = value.value
  }
  return base
}).pipe(Effect.orDie)

const start = (name: string, args: ReadonlyArray<string>, env: Record<string, string>): RunningProgram => {
  const ended = Deferred.makeUnsafe<number>()
  const output = outputFile()
  const lines = linesOf(output)
  // A group of its own: a Ctrl-C at the test runner leaves the order of ending to the scopes.
  const child = spawn(process.execPath, ["--import", endWithParent, ...args], { env, stdio: ["pipe", output, output], detached: true })
  child.once("error", () => Deferred.doneUnsafe(ended, Effect.succeed(127)))
  child.once("close", (code, signal) => Deferred.doneUnsafe(ended, Effect.succeed(code ?? 128 + (numbers[signal ?? ""] ?? 0))))
  const exit = Deferred.await(ended)
  const signal = (signalName: NodeJS.Signals) => Effect.sync(() => void child.kill(signalName))
  const said = (pattern: RegExp) =>
    Effect.sync(() => firstMatch(lines(), pattern)).pipe(
      Effect.repeat({ until: (found) => found !== undefined, schedule: Schedule.spaced("10 millis") }),
      Effect.raceFirst(Effect.as(exit, undefined)),
      // What it said last may have been what was waited for.
      Effect.map((found) => found ?? firstMatch(lines(), pattern)),
      Effect.timeoutOption(PATIENCE),
      Effect.flatMap((found) =>
        Option.isSome(found) && found.value !== undefined
          ? Effect.succeed(found.value)
          : Effect.fail(
            new ProgramError({
              program: name,
              problem: `${Option.isSome(found) ? "it ended" : `${Duration.format(PATIENCE)} passed`} without a line like ${pattern}`,
              output: lines().slice(-40).join("\n")
            })
          )
      )
    )
  return {
    pid: child.pid ?? 0,
    get lines() {
      return lines()
    },
    signal,
    exit,
    end: (signalName) => Effect.andThen(signal(signalName), exit),
    said
  }
}

/** What a file says, line by line, as far as it has been written when it is asked. */
const linesOf = (descriptor: number): (() => ReadonlyArray<string>) => {
  const lines: Array<string> = []
  const chunk = Buffer.alloc(64 * 1_024)
  const decoder = new StringDecoder("utf8")
  let position = 0
  let rest = ""
  return () => {
    for (let read = fs.readSync(descriptor, chunk, 0, chunk.length, position); read > 0;) {
      position += read
      const parts = `${rest}${decoder.write(chunk.subarray(0, read))}`.split("\n")
      rest = parts.pop() ?? ""
      lines.push(...parts)
      read = fs.readSync(descriptor, chunk, 0, chunk.length, position)
    }
    return rest === "" ? lines : [...lines, rest]
  }
}

/** As a service manager does it: who writes a log is never held up by who reads it. The file goes with its last user. */
const outputFile = (): number => {
  const file = path.join(tmpdir(), `englog-output-${randomUUID()}`)
  const descriptor = fs.openSync(file, "ax+")
  fs.unlinkSync(file)
  return descriptor
}

const firstMatch = (lines: ReadonlyArray<string>, pattern: RegExp): string | undefined => {
  for (const line of lines) {
    const match = pattern.exec(line)
    if (match !== null) return match[1] ?? match[0]
  }
  return undefined
}

const numbers: Readonly<Record<string, number>> = { SIGKILL: 9, SIGTERM: 15, SIGABRT: 6, SIGSEGV: 11 }

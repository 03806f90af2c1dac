/**
 * The check of the checker: the same chaos on a copy of the sources from which the fence was cut out must find a violation.
 * The product has no switch for that; the copy is made, changed and thrown away here.
 */
import { Effect, Option, Schema } from "effect"
import { spawn } from "node:child_process"
import * as fs from "node:fs"
import { tmpdir } from "node:os"
import * as path from "node:path"
import type { Arguments } from "./Arguments.ts"
import { type Cut, fence } from "./Fence.ts"

export class CutFailed extends Schema.TaggedError<CutFailed>()("CutFailed", { message: Schema.String }) {}

const root = path.resolve(import.meta.dirname, "..")
const parts = ["packages", "migrations", "scripts", "proto", "chaos", "package.json", "package-lock.json", "tsconfig.json"]

/** Found by the checker, and for the reason for which it was done: 1. Anything else is another number. */
const NOT_FOUND = 3
const SIGN = "result_of_its_attempt: "

export const run = Effect.fn("Mutation.run")(function*({ minutes, seed }: Arguments) {
  const copy = yield* Effect.acquireRelease(
    Effect.sync(() => fs.mkdtempSync(path.join(tmpdir(), "englog-mutant-"))),
    (folder) => Effect.sync(() => fs.rmSync(folder, { recursive: true, force: true }))
  )
  yield* Effect.sync(() => copySources(copy))
  yield* Effect.forEach(fence, (cut) => apply(copy, cut), { discard: true })
  yield* Effect.sync(() => process.stderr.write(`the fence was cut out of a copy of the sources in ${copy}\n`))
  const { code, said } = yield* chaosOn(copy, ["--seed", String(seed), "--minutes", String(minutes)])
  const found = code === 1 && Option.exists(decodeLine(said), ({ violations }) => violations.some((one) => one.startsWith(SIGN)))
  yield* Effect.sync(() => {
    process.stderr.write(found ? "the checker found what the missing fence did\n" : `the checker did NOT find that the fence was missing (exit ${code})\n`)
    process.stdout.write(`${said}\n`)
  })
  return found ? 1 : NOT_FOUND
})

const decodeLine = Schema.decodeOption(Schema.fromJsonString(Schema.Struct({ violations: Schema.Array(Schema.String) })))

/** Its exit code, and the last line of its output. */
const chaosOn = (copy: string, words: ReadonlyArray<string>) =>
  Effect.callback<{ readonly code: number; readonly said: string }>((resume) => {
    const child = spawn(process.execPath, [path.join(copy, "chaos/main.ts"), ...words], { cwd: copy, stdio: ["ignore", "pipe", "inherit"] })
    let output = ""
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      output += text
    })
    child.once("error", (error) => resume(Effect.succeed({ code: 2, said: error.message })))
    child.once("close", (code) => resume(Effect.succeed({ code: code ?? 2, said: output.trimEnd().split("\n").at(-1) ?? "" })))
    return Effect.sync(() => child.kill("SIGTERM"))
  })

const copySources = (copy: string) => {
  for (const part of parts) fs.cpSync(path.join(root, part), path.join(copy, part), { recursive: true })
  // The libraries as they are installed, but the project's own packages from the copy.
  const [libraries, theirs] = [path.join(root, "node_modules"), path.join(copy, "node_modules")]
  fs.mkdirSync(path.join(theirs, "@englog"), { recursive: true })
  for (const name of fs.readdirSync(libraries)) {
    if (name !== "@englog" && name !== ".cache") fs.symlinkSync(path.join(libraries, name), path.join(theirs, name))
  }
  for (const name of fs.readdirSync(path.join(copy, "packages"))) {
    fs.symlinkSync(path.join(copy, "packages", name), path.join(theirs, "@englog", name))
  }
}

/** Exactly the text that stands there, exactly once: a fence that was rewritten needs another cut. */
const apply = Effect.fnUntraced(function*(copy: string, { file, instead, text }: Cut) {
  const target = path.join(copy, file)
  const source = yield* Effect.sync(() => fs.readFileSync(target, "utf8"))
  const places = source.split(text).length - 1
  if (places !== 1) return yield* new CutFailed({ message: `the fence to be cut out stands ${places} times in ${file}; chaos/Fence.ts has to follow the sources` })
  yield* Effect.sync(() => fs.writeFileSync(target, source.replace(text, () => instead)))
})

/** `npm run demo` and the examples as whole processes, as a new user runs them. */
import { assert, describe, it } from "@effect/vitest"
import { NarrationResult } from "@englog/rpc/http/TaskView"
import { Effect, Schema } from "effect"
import { FetchHttpClient } from "effect/http"
import { execFileSync, spawn } from "node:child_process"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { FakeCollector } from "../src/FakeCollector.ts"
import { Installation } from "../src/Installation.ts"
import { password, register } from "../src/Person.ts"

const root = path.resolve(import.meta.dirname, "../../..")

interface Ended {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

interface RunOptions {
  readonly env?: Readonly<Record<string, string>>
  /** Sent once this text was seen on standard output or error. */
  readonly interruptAt?: string
}

/** Runs a program with a folder for temporary files of its own, which must be empty when it has ended. */
const run = (command: string, args: ReadonlyArray<string>, options: RunOptions = {}) =>
  Effect.acquireUseRelease(
    Effect.sync(() => temporary("englog-tmp-")),
    (TMPDIR) =>
      Effect.callback<Ended & { readonly left: ReadonlyArray<string> }>((resume) => {
        const child = spawn(command, [...args], { cwd: root, env: { ...clean, TMPDIR, ...options.env }, stdio: ["ignore", "pipe", "pipe"] })
        const said = { stdout: "", stderr: "" }
        for (const name of ["stdout", "stderr"] as const) {
          child[name].setEncoding("utf8").on("data", (text: string) => {
            const before = said[name]
            said[name] += text
            const { interruptAt } = options
            if (interruptAt !== undefined && !before.includes(interruptAt) && said[name].includes(interruptAt)) child.kill("SIGINT")
          })
        }
        child.once("close", (code) => resume(Effect.succeed({ ...said, code: code ?? -1, left: fs.readdirSync(TMPDIR).filter((name) => name !== "node-compile-cache") })))
        return Effect.sync(() => void child.kill("SIGTERM"))
      }),
    (TMPDIR) => Effect.sync(() => fs.rmSync(TMPDIR, { recursive: true, force: true }))
  )

/** A developer's own settings must not reach the demo. */
const clean: Readonly<Record<string, string>> = {
  PATH: `${path.dirname(process.execPath)}${path.delimiter}${process.env["PATH"] ?? ""}`,
  HOME: os.homedir(),
  LLM_PROVIDER: "builtin"
}

const temporary = (prefix: string): string => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), prefix))
  fs.chmodSync(folder, 0o755)
  return folder
}

const demo = (args: ReadonlyArray<string>, options?: RunOptions) => run(process.execPath, ["scripts/demo.ts", ...args], options)

const Outcome = Schema.fromJsonString(Schema.Struct({
  task_id: Schema.String.pipe(Schema.check(Schema.isStartingWith("insight_"))),
  trace_id: Schema.String.pipe(Schema.check(Schema.isPattern(/^[0-9a-f]{32}$/))),
  status: Schema.Literal("TASK_STATUS_COMPLETED"),
  insight: Schema.Struct({ content: Schema.String, confidence: Schema.Finite, model: Schema.Literal("builtin"), entry_count: Schema.Int }),
  facts: Schema.Array(Schema.Struct({ id: Schema.String, value: Schema.Finite, text: Schema.String })),
  seconds: Schema.Finite
}))

const outcomeOf = ({ stdout }: Ended) => Schema.decodeUnknownSync(Outcome)(stdout.trim().split("\n").at(-1))

const valueOf = (facts: ReadonlyArray<{ readonly id: string; readonly value: number }>, id: string) => facts.find((fact) => fact.id === id)?.value

interface FakeCommit {
  readonly at: string
  readonly message: string
  readonly files: Readonly<Record<string, string>>
}

/** A repository with these commits, one after the other. */
const repository = (commits: ReadonlyArray<FakeCommit>) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const folder = temporary("englog-repository-")
      const git = (args: ReadonlyArray<string>, at = "") =>
        execFileSync("git", ["-C", folder, "-c", "commit.gpgSign=false", ...args], {
          stdio: "pipe",
          env: {
            ...clean, GIT_CONFIG_NOSYSTEM: "1", GIT_CONFIG_GLOBAL: "/dev/null", GIT_AUTHOR_NAME: "Grace Hopper", GIT_AUTHOR_EMAIL: "grace@example.com",
            GIT_COMMITTER_NAME: "Grace Hopper", GIT_COMMITTER_EMAIL: "grace@example.com", GIT_AUTHOR_DATE: at, GIT_COMMITTER_DATE: at
          }
        })
      git(["init", "--quiet", "--initial-branch=main"])
      for (const { at, files, message } of commits) {
        for (const [name, text] of Object.entries(files)) {
          fs.mkdirSync(path.dirname(path.join(folder, name)), { recursive: true })
          fs.writeFileSync(path.join(folder, name), text)
        }
        git(["add", "--all"])
        git(["commit", "--quiet", "--allow-empty", "--message", message], at)
      }
      return folder
    }),
    (folder) => Effect.sync(() => fs.rmSync(folder, { recursive: true, force: true }))
  )

const history: ReadonlyArray<FakeCommit> = [
  { at: "2026-03-02T09:00:00+01:00", message: "Begin", files: { "README.md": "compiler\n" } },
  { at: "2026-03-02T10:00:00+01:00", message: "feat: parse COBOL", files: { "src/parser.ts": "parse\n".repeat(400) } },
  { at: "2026-03-02T10:30:00+01:00", message: "fix: moth in relay 70\n\nIt was taped into the log book.", files: { "src/relay.ts": "relay\n" } },
  { at: "2026-03-02T11:15:00+01:00", message: "docs: how to debug", files: { "docs/debugging.md": "look\n".repeat(20) } }
]

describe("npm run demo", () => {
  it.live("makes an insight of a repository's commits in one trace, tells it as JSON, and leaves nothing behind", () =>
    Effect.gen(function*() {
      const collector = yield* FakeCollector
      const folder = yield* repository(history)
      const ended = yield* demo(["--json", "--git", folder], { env: { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url } })
      assert.strictEqual(ended.code, 0, ended.stderr)
      const { facts, insight, seconds, trace_id } = outcomeOf(ended)
      assert.lengthOf(ended.stdout.trim().split("\n"), 1)
      assert.strictEqual(insight.entry_count, 4)
      assert.strictEqual(valueOf(facts, "total.entries"), 4)
      // The first commit has no size, so it is code of a quarter of an hour; then come the gaps 60, 30 and 45.
      assert.strictEqual(valueOf(facts, "total.time"), 150)
      assert.strictEqual(valueOf(facts, "type.code.time"), 75)
      assert.strictEqual(valueOf(facts, "type.debug.time"), 30)
      assert.strictEqual(valueOf(facts, "type.docs.time"), 45)
      assert.include(insight.content, "2 h 30 min")
      assert.isBelow(seconds, 60)
      assert.include(ended.stderr, `Trace ${trace_id}`)
      assert.include(ended.stderr, "100 %")
      assert.deepStrictEqual(ended.left, [])
      const services = new Set(collector.trace(trace_id).map(({ service }) => service))
      assert.includeMembers([...services], ["englog-demo", "englog-api", "englog-worker"])
    }).pipe(Effect.scoped, Effect.provide(FakeCollector.layer)), 90_000)

  it.live("shows a log from a file, its insight, the facts stated in it and the trace, to people", () =>
    Effect.gen(function*() {
      const ended = yield* demo(["--file", "examples/worklog.json"])
      assert.strictEqual(ended.code, 0, ended.stderr)
      assert.include(ended.stdout, "60 entries, from 2026-11-02 to 2026-11-13.")
      assert.match(ended.stdout, /70 h 15 min/)
      assert.match(ended.stdout, /^Facts \(\d+ of \d+ are stated above\)$/m)
      assert.match(ended.stdout, /^ {2}Time recorded +70 h 15 min$/m)
      assert.match(ended.stdout, /^Trace [0-9a-f]{32}$/m)
      assert.deepStrictEqual(ended.left, [])
    }), 90_000)

  it.live("stops everything and cleans up on Ctrl-C", () =>
    Effect.gen(function*() {
      const ended = yield* demo(["--file", "examples/worklog.json"], { interruptAt: "Recorded 60 entries" })
      assert.strictEqual(ended.code, 130)
      assert.deepStrictEqual(ended.left, [])
    }), 90_000)

  it.live("exits 1 with the reason and the place of the log when EngLog does not start", () =>
    Effect.gen(function*() {
      const ended = yield* demo(["--file", "examples/worklog.json"], { env: { LOG_LEVEL: "chatty" } })
      assert.strictEqual(ended.code, 1)
      assert.match(ended.stderr, /^The demo failed: .*LOG_LEVEL.* \(log: .*englog\.log\)\.$/m)
      assert.lengthOf(ended.left, 1)
    }), 90_000)

  it.live("exits 1 where there is no repository, and 2 where the command line is wrong", () =>
    Effect.gen(function*() {
      const folder = temporary("englog-no-repository-")
      const ended = yield* demo(["--git", folder])
      fs.rmSync(folder, { recursive: true })
      assert.deepStrictEqual([ended.code, ended.stderr], [1, `The demo failed: ${folder} is not a git repository that this user may read.\n`])
      const wrong = yield* demo(["--since", "soon"])
      assert.strictEqual(wrong.code, 2)
      assert.include(wrong.stderr, `--since "soon" is neither a date`)
    }))
})

describe("The examples", () => {
  it.live("ask for an insight over RPC in 20 lines, and repeat the seeds' curl commands, on a running EngLog", () =>
    Effect.gen(function*() {
      const installation = yield* Installation
      const api = yield* installation.startApi()
      const worker = yield* installation.startWorker("example")
      const ada = yield* register(api.url, "ada@example.com")
      yield* ada.addEntry({ title: "Write the first program" })
      const client = yield* run(process.execPath, ["examples/client.ts"], {
        env: { ENGLOG_URL: api.url, ENGLOG_EMAIL: "ada@example.com", ENGLOG_PASSWORD: password }
      })
      assert.strictEqual(client.code, 0, client.stderr)
      const lines = client.stdout.trim().split("\n")
      const result = yield* Schema.decodeUnknownEffect(Schema.fromJsonString(NarrationResult))(lines.at(-1))
      assert.include(result.content, "Write the first program")
      assert.include(lines.at(-2), "100 %")
      assert.isAtMost(fs.readFileSync(path.join(root, "examples/client.ts"), "utf8").trimEnd().split("\n").length, 20)

      const seeds = yield* run("sh", ["examples/seed-000.sh", api.url])
      assert.strictEqual(seeds.code, 0, seeds.stderr)
      assert.include(seeds.stdout, `"TASK_STATUS_COMPLETED"`)
      assert.lengthOf(seeds.stderr.match(/"task_id":"(insight|report)_/g) ?? [], 7)
      assert.include(seeds.stdout, `"worker_id":"example"`)
      assert.include([0, 130], yield* worker.end("SIGTERM"))
      assert.include([0, 130], yield* api.end("SIGTERM"))
    }).pipe(Effect.scoped, Effect.provide([Installation.layer(), FetchHttpClient.layer])), 90_000)
})

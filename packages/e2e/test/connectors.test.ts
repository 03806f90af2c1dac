/** Imports of commits the whole way: a repository and a server that speaks GitHub's API, a real worker, the inbox. */
import { assert, layer } from "@effect/vitest"
import { EngLogClient } from "@englog/rpc/client/EngLogClient"
import { Effect, Layer, Predicate, Redacted, Schedule } from "effect"
import { FetchHttpClient } from "effect/http"
import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import * as http from "node:http"
import * as os from "node:os"
import * as path from "node:path"
import { Installation } from "../src/Installation.ts"
import { ask, password, register } from "../src/Person.ts"

const EMAIL = "connectors@example.com"

const at = (value: unknown, key: string): unknown => Predicate.hasProperty(value, key) ? value[key] : undefined

/** Whoever runs the worker owns it. */
const root = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), "englog-roots-")))

const repository = Effect.acquireRelease(
  Effect.sync(() => {
    const env = {
      PATH: process.env["PATH"], HOME: root, GIT_AUTHOR_NAME: "Ada", GIT_AUTHOR_EMAIL: EMAIL, GIT_COMMITTER_NAME: "Ada", GIT_COMMITTER_EMAIL: EMAIL,
      GIT_AUTHOR_DATE: "2026-03-02T10:00:00Z", GIT_COMMITTER_DATE: "2026-03-02T10:00:00Z"
    }
    const git = (...args: ReadonlyArray<string>) => execFileSync("git", args, { cwd: root, env })
    git("init", "-q")
    git("commit", "-q", "--allow-empty", "-m", "feat: the mill")
    git("commit", "-q", "--allow-empty", "-m", "fix: the store")
    return root
  }),
  () => Effect.sync(() => fs.rmSync(root, { recursive: true, force: true }))
)

const github = Effect.acquireRelease(
  Effect.callback<http.Server>((resume) => {
    const server = http.createServer(({ url = "" }, response) => {
      const commit = { sha: "c0ffee", commit: { author: { name: "Ada", email: EMAIL, date: "2026-03-04T10:00:00Z" }, message: "docs: notes" }, parents: [{}] }
      response.end(JSON.stringify(url === "/user" ? { login: "ada" } : url.includes("/commits") ? [commit] : []))
    })
    server.listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
  }),
  (server) => Effect.callback<void>((resume) => {
    server.closeAllConnections()
    server.close(() => resume(Effect.void))
  })
)

layer(Layer.merge(Installation.layer({ WEB_ALLOW_PRIVATE: "true", IMPORT_GIT_ROOTS: root }), FetchHttpClient.layer), {
  excludeTestServices: true,
  timeout: "120 seconds"
})("an import of commits", (it) => {
  it.effect("reaches the inbox from a repository and from GitHub, and adds nothing the second time", () => Effect.gen(function*() {
    const installation = yield* Installation
    const api = yield* installation.startApi()
    yield* installation.startWorker("importer")
    const { token } = yield* register(api.url, EMAIL)
    const address = (yield* github).address()
    const base_url = `http://127.0.0.1:${address !== null && typeof address === "object" ? address.port : 0}`
    const imported = Effect.fnUntraced(function*(name: string, body: unknown) {
      const accepted = yield* ask("POST", `${api.url}/v1/import/${name}`, { token, body })
      assert.strictEqual(accepted.status, 202, accepted.text)
      const id = String(at(JSON.parse(accepted.text), "import_id"))
      return yield* ask("GET", `${api.url}/v1/imports/${id}`, { token }).pipe(
        Effect.map(({ text }): unknown => JSON.parse(text)),
        Effect.repeat({ until: (read) => ["completed", "failed"].includes(String(at(read, "state"))), schedule: Schedule.spaced("100 millis") })
      )
    })
    const days = { from: "2026-03-01", to: "2026-03-31", timezone: "Europe/Berlin" }
    for (const [name, body, found] of [["git", { path: yield* repository, ...days }, 2], ["github", { base_url, token: "t", repositories: ["ada/engine"], ...days }, 1]] as const) {
      assert.deepInclude(yield* imported(name, body), { state: "completed", outcome: "completed", created: found, problem_count: 0 })
      assert.deepInclude(yield* imported(name, body), { state: "completed", created: 0, updated: 0, removed: 0, unchanged: found })
    }
    yield* Effect.gen(function*() {
      const englog = yield* EngLogClient
      const git = yield* englog.ImportGit({ path: root, ...days })
      const accepted = [
        git,
        yield* englog.ImportGitHub({ base_url, token: "t", repositories: ["ada/engine"], ...days }),
        yield* englog.ImportJira({ base_url, token: "t", ...days }),
        yield* englog.ImportSlack({ base_url, token: "t" })
      ]
      assert.deepStrictEqual(accepted.map(({ message }) => message.split(" ")[0]), ["Git", "GitHub", "Jira", "Slack"])
      const { source } = yield* englog.GetImport({ id: git.import_id })
      assert.strictEqual(source, "git")
    }).pipe(Effect.provide(EngLogClient.layer({ url: api.url, auth: { email: EMAIL, password: Redacted.make(password) } })))
    const refused = yield* imported("git", { path: "/etc", ...days })
    assert.deepInclude(refused, { state: "failed", error: "path: is in none of the folders that IMPORT_GIT_ROOTS allows on the worker's machine" })
  }))
})

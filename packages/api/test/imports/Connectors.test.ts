import { assert, layer } from "@effect/vitest"
import { ImportJob } from "@englog/domain/imports/ImportInput"
import { Effect, Schema } from "effect"
import { SqlClient } from "effect/sql"
import { patientApi } from "../support/Background.ts"
import { importer, item } from "../support/Imports.ts"

const TOKEN = "canary-t0ken"
const jira = { base_url: "https://example.atlassian.net", email: "ada@example.com", token: TOKEN, from: "2026-03-01", to: "2026-03-31" }
const github = { repositories: ["ada/engine"], token: TOKEN, from: "2026-03-01", to: "2026-03-31" }

const decode = Schema.decodeUnknownEffect(Schema.fromJsonString(ImportJob))

layer(patientApi(), { excludeTestServices: true, timeout: "120 seconds" })("an import from another system", (it) => {
  it.effect("reaches its worker with what was asked for, and its token nobody else", () => Effect.gen(function*() {
    const ada = yield* importer({ timezone: "Europe/Berlin" })
    const sql = yield* SqlClient.SqlClient
    const sent = [
      ["git", { path: "/srv/engine", author_emails: ["Ada@Example.com"] }, { source: "git", path: "/srv/engine", authors: ["ada@example.com"] }],
      ["github", github, { source: "github", base_url: "https://api.github.com", token: TOKEN, repositories: ["ada/engine"], login: null }],
      ["jira", jira, { source: "jira", base_url: jira.base_url, email: jira.email, token: TOKEN }],
      ["slack", { token: TOKEN }, { source: "slack", base_url: "https://slack.com/api", token: TOKEN }]
    ] as const
    for (const [name, body, input] of sent) {
      const accepted = yield* ada.post(`/v1/import/${name}`, body)
      assert.strictEqual(accepted.status, 202, accepted.text)
      const task = yield* ada.take(String(accepted.at("task_id")))
      assert.notInclude(JSON.stringify(task.payload), TOKEN)
      const job = yield* decode(yield* ada.worker.data(task))
      assert.deepStrictEqual(job.input, input)
      assert.strictEqual(job.period === null, name === "slack", "Slack tells of now only")
      yield* ada.worker.complete(task, ada.result({ items: [item({ source: name })] }))
      const read = yield* ada.read(String(accepted.at("import_id")))
      assert.deepInclude(read.body, { state: "completed", source: name, created: 1 })
      assert.notInclude(read.text, TOKEN)
    }
    const [kept] = yield* sql<{ readonly found: number }>`SELECT count(*)::int AS found FROM tasks WHERE tasks::text LIKE ${`%${TOKEN}%`}`
    assert.strictEqual(kept?.found, 0)
  }))

  it.effect("is refused with the field and the reason where it cannot be one", () => Effect.gen(function*() {
    const ada = yield* importer()
    const wrong = [
      ["git", { path: "srv/engine" }, "path", "must be an absolute path without . and .. in it"],
      ["git", { path: "/srv/../etc" }, "path", "must be an absolute path without . and .. in it"],
      ["git", { path: "/srv/engine", author_emails: ["ada"] }, "author_emails[0]", "must be an e-mail address"],
      ["github", { repositories: ["engine"], token: TOKEN }, "repositories[0]", "must be owner/name"],
      ["github", { repositories: ["ada/.."], token: TOKEN }, "repositories[0]", "must be owner/name"],
      ["github", { repositories: ["ada/engine"] }, "token", "is required, or login"],
      ["github", { ...github, token: "a\r\nb: c" }, "token", "must be ASCII without spaces"],
      ["jira", { ...jira, base_url: "file:///etc/passwd" }, "base_url", "must be an https address without user, query and fragment"],
      ["jira", { ...jira, base_url: "https://u:p@example.com" }, "base_url", "must be an https address without user, query and fragment"],
      ["jira", { ...jira, to: "2026-02-01" }, "to", undefined],
      ["slack", {}, "token", undefined]
    ] as const
    for (const [name, body, field, reason] of wrong) {
      const refused = yield* ada.post(`/v1/import/${name}`, body)
      assert.strictEqual(refused.status, 400, `${JSON.stringify(body)}: ${refused.text}`)
      assert.strictEqual(refused.at("details", 0, "field"), field, refused.text)
      if (reason !== undefined) assert.strictEqual(refused.at("details", 0, "reason"), reason, refused.text)
      assert.notInclude(refused.text, TOKEN)
    }
    assert.deepStrictEqual((yield* ada.get("/v1/imports")).at("items"), [])
  }))
})

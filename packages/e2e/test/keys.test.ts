/** Encryption keys from the command line, beside a running installation with secrets of its own. */
import { assert, describe, it } from "@effect/vitest"
import { NodeFileSystem } from "@effect/platform-node"
import { Effect, FileSystem, Layer } from "effect"
import { FetchHttpClient } from "effect/http"
import * as path from "node:path"
import { fileURLToPath } from "node:url"
import { Installation } from "../src/Installation.ts"
import { anEntry, ask, register } from "../src/Person.ts"
import { runProgram } from "../src/RunningProgram.ts"

const world = Layer.mergeAll(Installation.layer(), FetchHttpClient.layer, NodeFileSystem.layer)
const file = fileURLToPath(new URL("../../api/src/admin.ts", import.meta.url))

/** Runs `npm run admin` to its end. */
const admin = Effect.fnUntraced(function*(script: string, dataDir: string) {
  const program = yield* runProgram({ name: "admin", main: { file, args: script.split(" ") }, env: { DATA_DIR: dataDir } })
  const code = yield* program.exit
  return { code, text: program.lines.join("\n") }
})

describe("an installation that makes its own secrets", () => {
  it.live("moves to a new key step by step, reading everything all the while, and then needs the old one no more", () =>
    Effect.gen(function*() {
      const fs = yield* FileSystem.FileSystem
      const installation = yield* Installation
      const { dataDir } = installation
      const before = yield* installation.startApi()
      const ada = yield* register(before.url, "ada@example.com")
      const entry = yield* ada.addEntry({})
      const description = (url: string) =>
        Effect.map(ask("GET", `${url}/v1/logs/${entry}`, { token: ada.token }), ({ text }) => {
          assert.include(text, anEntry.description)
        })

      const made = yield* admin("new-key", dataDir)
      assert.match(made.text, /Key "k2" was added to .*encryption_keys.*Restart EngLog/)
      const early = yield* admin("rotate-keys", dataDir)
      assert.strictEqual(early.code, 1)
      assert.match(early.text, /1 running API server\(s\) do not have the key "k2" yet/)
      yield* description(before.url)

      yield* before.end("SIGTERM")
      const between = yield* installation.startApi()
      yield* description(between.url)
      assert.match((yield* admin("rotate-keys --dry-run", dataDir)).text, /Key "k2", the newest: \d+ values\.\nKey "k1": [1-9]\d* values still need it\./)
      const rotated = yield* admin("rotate-keys", dataDir)
      assert.strictEqual(rotated.code, 0, rotated.text)
      assert.match(rotated.text, /log_entries\.description: 1 rotated[\s\S]*Key "k1": no value needs it any more/)
      yield* description(between.url)

      const keys = path.join(dataDir, "encryption_keys")
      yield* fs.writeFileString(keys, (yield* fs.readFileString(keys)).split(",", 1)[0] ?? "")
      yield* between.end("SIGTERM")
      const after = yield* installation.startApi()
      yield* description(after.url)
    }).pipe(Effect.scoped, Effect.provide(world)))

  it.live("names the key that is missing, and shows nothing in place of what it cannot read", () =>
    Effect.gen(function*() {
      const fs = yield* FileSystem.FileSystem
      const installation = yield* Installation
      const before = yield* installation.startApi()
      const ada = yield* register(before.url, "ada@example.com")
      const entry = yield* ada.addEntry({})
      yield* before.end("SIGTERM")
      const keys = path.join(installation.dataDir, "encryption_keys")
      yield* fs.writeFileString(keys, (yield* fs.readFileString(keys)).replace("k1:", "another:"))
      const after = yield* installation.startApi()
      const answer = yield* ask("GET", `${after.url}/v1/logs/${entry}`, { token: ada.token })
      assert.deepStrictEqual([answer.status, answer.text], [500, "{\"error\":\"internal error\",\"code\":\"internal\",\"details\":[]}"])
      yield* after.said(/was encrypted with key ..k1.., which is not among ENCRYPTION_KEYS/)
    }).pipe(Effect.scoped, Effect.provide(world)))
})

/** The examples of the RPC package's README, as they stand there, against a running API. */
import { assert, describe, it } from "@effect/vitest"
import { OrganizationId } from "@englog/domain/Ids"
import { EngLogClient } from "@englog/rpc/client/EngLogClient"
import { Effect, Layer, Redacted, Stream } from "effect"
import { FetchHttpClient } from "effect/http"
import * as fs from "node:fs"
import { allEntries } from "../../../examples/rpc/allEntries.ts"
import { finishEntry } from "../../../examples/rpc/finishEntry.ts"
import { moveProject } from "../../../examples/rpc/moveProject.ts"
import { Installation } from "../src/Installation.ts"
import { register } from "../src/Person.ts"

const folder = new URL("../../../examples/rpc/", import.meta.url)
const world = Layer.mergeAll(Installation.layer(), FetchHttpClient.layer)

describe("the examples of the RPC package's README", () => {
  it("are those that are run here", () => {
    const readme = fs.readFileSync(new URL("../../rpc/README.md", import.meta.url), "utf8")
    const shown = [...readme.matchAll(/```ts\n\/\/ (\w+\.ts)\n([\s\S]*?)```/g)].map(([, file = "", code = ""]) => ({ file, code }))
    assert.deepStrictEqual(shown.map(({ file }) => file).sort(), fs.readdirSync(folder).sort())
    for (const { code, file } of shown) assert.strictEqual(code, fs.readFileSync(new URL(file, folder), "utf8"))
  })

  it.live("page through everything, say what is wrong, and give way to who was faster", () =>
    Effect.gen(function*() {
      const api = yield* (yield* Installation).startApi()
      const ada = yield* register(api.url, "ada@example.com")
      const ids = yield* Effect.forEach(Array.from({ length: 101 }), () => ada.addEntry({ tags: ["parser"] }))
      yield* Effect.gen(function*() {
        const found = yield* Stream.runCollect(allEntries("parser"))
        assert.deepStrictEqual(found.map(({ id }) => id).sort(), [...ids].sort())

        const englog = yield* EngLogClient
        const project = yield* englog.CreateProject({ name: "Billing", status: "active" })
        const nobodys = OrganizationId.make("00000000-0000-4000-8000-000000000001")
        assert.strictEqual(yield* moveProject(project.id, nobodys), `team_id you have no team ${nobodys}`)
        const team = yield* englog.CreateTeam({ name: "Compilers" })
        assert.strictEqual(yield* moveProject(project.id, team.id), "Billing is the team's")
        yield* englog.DeleteProject({ id: project.id })
        const missing = yield* Effect.flip(moveProject(project.id, team.id))
        assert.strictEqual(missing._tag === "RpcFailure" ? missing.code : missing._tag, "not_found")

        const [id] = ids
        if (id === undefined) return yield* Effect.die(new Error("nothing was recorded"))
        const both = yield* Effect.all([finishEntry(id, "mine"), finishEntry(id, "theirs")], { concurrency: 2 })
        const last = yield* englog.GetEntry({ id })
        assert.include(both.map(({ etag }) => etag), last.etag)
        assert.deepStrictEqual(both.map(({ description }) => description).sort(), ["mine", "theirs"])
        assert.notStrictEqual(both[0].etag, both[1].etag)
      }).pipe(Effect.provide(EngLogClient.layer({ url: api.url, auth: Redacted.make(ada.token) })))
    }).pipe(Effect.scoped, Effect.provide(world)), 120_000)
})

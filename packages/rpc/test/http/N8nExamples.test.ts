/** The workflows in examples/n8n: of a shape that n8n imports, and in step with the API that they call. */
import { assert, describe, it } from "@effect/vitest"
import { EntryPayload } from "@englog/rpc/http/EntryPayload"
import { Schema } from "effect"
import { OpenApi } from "effect/http-api"
import * as fs from "node:fs"
import { fileURLToPath } from "node:url"
import { EngLogApi } from "../../src/http/Api.ts"

const folder = fileURLToPath(new URL("../../../../examples/n8n/", import.meta.url))

/** What n8n's import asks for. */
const Workflow = Schema.Struct({
  name: Schema.NonEmptyString,
  nodes: Schema.Array(Schema.Struct({
    id: Schema.String.check(Schema.isUUID()),
    name: Schema.NonEmptyString,
    type: Schema.String.check(Schema.isPattern(/^n8n-nodes-base\.(webhook|httpRequest|respondToWebhook)$/)),
    typeVersion: Schema.Finite,
    position: Schema.Tuple([Schema.Finite, Schema.Finite]),
    parameters: Schema.Record(Schema.String, Schema.Json),
    webhookId: Schema.optionalKey(Schema.String.check(Schema.isUUID()))
  })),
  connections: Schema.Record(
    Schema.String,
    Schema.Struct({ main: Schema.Array(Schema.Array(Schema.Struct({ node: Schema.String, type: Schema.Literal("main"), index: Schema.Int }))) })
  ),
  settings: Schema.Struct({ executionOrder: Schema.Literal("v1") }),
  active: Schema.Literal(false),
  pinData: Schema.Struct({})
})

const read = (file: string) => Schema.decodeUnknownSync(Schema.fromJsonString(Workflow))(fs.readFileSync(folder + file, "utf8"), { onExcessProperty: "error" })
const files = fs.readdirSync(folder).filter((file) => file.endsWith(".json"))

describe("workflows for n8n", () => {
  it.each(files)("%s can be imported: every node is named once, and every connection leads to one", (file) => {
    const { connections, nodes } = read(file)
    const names = nodes.map(({ name }) => name)
    assert.strictEqual(new Set(names).size, names.length)
    assert.includeMembers(names, Object.keys(connections))
    assert.includeMembers(names, Object.values(connections).flatMap(({ main }) => main.flat().map(({ node }) => node)))
    for (const { parameters, type } of nodes) {
      if (type.endsWith("webhook")) assert.strictEqual(parameters["authentication"], "headerAuth", "a webhook that anybody may call")
    }
  })

  it("record work with a request that the API takes", () => {
    const request = read("record-work.json").nodes.find(({ type }) => type.endsWith("httpRequest"))?.parameters
    assert.strictEqual(request?.["method"], "POST")
    const path = /'(\/v1[^']*)'/.exec(String(request?.["url"]))?.[1] ?? ""
    assert.exists(OpenApi.fromApi(EngLogApi).paths[path]?.post, path)
    const template = String(request?.["jsonBody"]).replace(/^=/, "")
    const given: Readonly<Record<string, string>> = { title: "\"Deploy\"", start_time: "\"2026-01-05T09:00:00Z\"", end_time: "\"2026-01-05T09:30:00Z\"" }
    const body: unknown = JSON.parse(template.replace(/\{\{ JSON\.stringify\(\$json\.body\.(\w+)\) \}\}/g, (_, field: string) => given[field] ?? "null"))
    assert.deepInclude(Schema.decodeUnknownSync(EntryPayload)(body, { onExcessProperty: "error" }), { title: "Deploy", type: "ops" })
  })

  it("take the data of the sync type that they are named after", () => {
    const [webhook] = read("user-registration.json").nodes
    assert.strictEqual(webhook?.parameters["path"], "user-registration")
  })
})

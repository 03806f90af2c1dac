/** The Bruno collection, read back by Bruno's own parser. */
import { assert, describe, it } from "@effect/vitest"
import { EngLogApi } from "@englog/rpc/http/Api"
import { children } from "@englog/rpc/http/JsonTree"
import { bruToEnvJsonV2, bruToJsonV2, collectionBruToJson } from "@usebruno/lang"
import { OpenApi } from "effect/http-api"
import { spawnSync } from "node:child_process"
import * as path from "node:path"
import { brunoCollection } from "../bruno/BrunoCollection.ts"

const document: unknown = JSON.parse(JSON.stringify(OpenApi.fromApi(EngLogApi)))
const files = brunoCollection(document)

const requests = [...files].filter(([name]) => name.includes("/") && !name.startsWith("environments/") && !name.endsWith("/folder.bru"))
  .map(([name, text]) => ({ name, request: children(bruToJsonV2(text)) }))

const at = (value: unknown, ...keys: ReadonlyArray<string>): unknown => keys.reduce<unknown>((inner, key) => children(inner)[key], value)

const requestOf = (name: string) => requests.find((one) => one.name === name)?.request

describe("the Bruno collection", () => {
  it("has every operation of the document once", () => {
    const documented = Object.entries(children(at(document, "paths"))).flatMap(([route, item]) =>
      Object.keys(children(item)).map((method) => `${method} {{base_url}}${route.replaceAll(/\{(\w+)\}(?=\/|$)/g, ":$1").replaceAll(/\{(\w+)\}(?!\})/g, "{{$1}}").replaceAll("{{{", "{{")}`))
    const there = requests.map(({ request }) => `${String(at(request, "http", "method"))} ${String(at(request, "http", "url"))}`)
    assert.deepStrictEqual(there.sort(), documented.sort())
  })

  it("sends bodies that are JSON, with variables in the place of ids", () => {
    for (const { name, request } of requests) {
      const body = at(request, "body", "json")
      if (at(request, "http", "body") === "json") assert.doesNotThrow(() => JSON.parse(String(body)), name)
      else assert.isUndefined(body, name)
    }
    assert.include(String(at(requestOf("Log entries/create.bru"), "body", "json")), "\"project_id\": \"{{project_id}}\"")
    assert.include(String(at(requestOf("Insights/submitInsight.bru"), "body", "json")), "{{entry_id}}")
  })

  it("keeps the token of a login, and sends it where one is needed", () => {
    assert.include(String(at(requestOf("Accounts/login.bru"), "script", "res")), "bru.setVar(\"access_token\", res.body.access_token)")
    assert.strictEqual(at(requestOf("Accounts/login.bru"), "http", "auth"), "none")
    assert.strictEqual(at(requestOf("Log entries/list.bru"), "http", "auth"), "inherit")
    assert.strictEqual(at(collectionBruToJson(files.get("collection.bru") ?? ""), "auth", "bearer", "token"), "{{access_token}}")
    const variables = at(bruToEnvJsonV2(files.get("environments/local.bru") ?? ""), "variables")
    assert.deepStrictEqual(Array.isArray(variables) ? variables.map((one) => at(one, "name")) : [], ["base_url", "email", "password", "queue"])
  })

  it("asks for no variable that neither the environment has nor any answer fills", () => {
    const variables = at(bruToEnvJsonV2(files.get("environments/local.bru") ?? ""), "variables")
    const filled = new Set([
      ...Array.isArray(variables) ? variables.map((one) => String(at(one, "name"))) : [],
      ...requests.flatMap(({ request }) => [...String(at(request, "script", "res")).matchAll(/setVar\("(\w+)"/g)].map(([, name]) => name ?? ""))
    ])
    const used = requests.flatMap(({ request }) => [...JSON.stringify(request).matchAll(/\{\{(\w+)\}\}/g)].map(([, name]) => name ?? ""))
    assert.isAbove(used.length, 300)
    assert.deepStrictEqual([...new Set(used)].filter((name) => !filled.has(name)), [])
    assert.include(JSON.stringify(at(requestOf("Log entries/get.bru"), "params")), "{{entry_id}}")
  })

  it("tells an e-mail from a message to a webhook, and what a body brings from what is there", () => {
    assert.include(JSON.stringify(at(requestOf("E-mail/get.bru"), "params")), "{{delivery_id}}")
    assert.include(JSON.stringify(at(requestOf("Webhooks/getDelivery.bru"), "params")), "{{webhook_delivery_id}}")
    assert.notInclude(String(at(requestOf("Imports/account.bru"), "body", "json")), "{{project_id}}")
  })

  it("is the committed one", () => {
    const { status, stderr } = spawnSync(process.execPath, [path.resolve(import.meta.dirname, "../bruno.ts"), "--check"], { encoding: "utf8" })
    assert.strictEqual(status, 0, stderr)
  })

  it("changes with the document", () => {
    const other = brunoCollection(JSON.parse(JSON.stringify(document).replaceAll("/v1/goals", "/v1/aims")))
    const stale = [...files].filter(([name, text]) => other.get(name) !== text).map(([name]) => name)
    assert.isTrue(stale.length > 0 && stale.every((name) => name.startsWith("Goals/")), stale.join(", "))
  })
})

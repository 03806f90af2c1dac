import { assert, describe, it } from "@effect/vitest"
import { Predicate } from "effect"
import { OpenApi } from "effect/http-api"
import { EngLogApi } from "../../src/http/Api.ts"

const document: unknown = JSON.parse(JSON.stringify(OpenApi.fromApi(EngLogApi)))

const at = (value: unknown, ...path: ReadonlyArray<string>): unknown =>
  path.reduce<unknown>((inner, key) => Predicate.hasProperty(inner, key) ? inner[key] : undefined, value)

const entries = (value: unknown): ReadonlyArray<readonly [string, unknown]> => Predicate.isObject(value) ? Object.entries(value) : []

const operations = entries(at(document, "paths")).flatMap(([path, item]) =>
  entries(item).map(([method, operation]) => ({ name: `${method} ${path}`, operation })))

/** Of the whole, or of fields of its schema. */
const hasExample = (body: unknown): boolean =>
  at(body, "example") !== undefined ||
  JSON.stringify(at(document, "components", "schemas", String(at(body, "schema", "$ref")).split("/").at(-1) ?? "")).includes("\"examples\"")

describe("the OpenAPI document", () => {
  it("says of every operation what it is for and how it may fail", () => {
    assert.isAbove(operations.length, 15)
    for (const { name, operation } of operations) {
      assert.isString(at(operation, "summary"), name)
      const statuses = entries(at(operation, "responses")).map(([status]) => status)
      for (const status of ["400", "500", "503"]) assert.include(statuses, status, name)
      if (entries(at(operation, "security")).length > 0) assert.include(statuses, "401", name)
      assert.strictEqual(statuses.includes("415"), at(operation, "requestBody") !== undefined, name)
    }
  })

  it("has an example of every body that is sent, and of every error", () => {
    for (const { name, operation } of operations) {
      const body = at(operation, "requestBody", "content", "application/json")
      if (body !== undefined) assert.isTrue(hasExample(body), name)
      assert.isString(at(operation, "responses", "400", "content", "application/json", "example", "error"), name)
      assert.strictEqual(at(operation, "responses", "400", "content", "application/json", "example", "code"), "invalid_field", name)
    }
  })

  it("tells when to come back in a header and a detail", () => {
    assert.strictEqual(at(document, "paths", "/v1/auth/login", "post", "responses", "429", "headers", "retry-after", "schema", "type"), "integer")
    assert.deepStrictEqual(entries(at(document, "components", "schemas", "TooManyRequests", "properties")).map(([name]) => name), ["error", "code", "details"])
  })

  it("says the path parameters of what may be sent twice, and its key", () => {
    const names = Object.values(Object(at(document, "paths", "/v1/logs/{id}/stop", "post", "parameters"))).map((parameter) => at(parameter, "name"))
    assert.deepStrictEqual(names, ["id", "idempotency-key"])
  })

  it("says which scope an API token needs, where one is needed", () => {
    const scope = (method: string, path: string) => at(document, "paths", path, method, "x-required-scope")
    assert.deepStrictEqual([scope("get", "/v1/logs"), scope("post", "/v1/logs"), scope("post", "/api/background/tasks"), scope("get", "/v1/admin/jobs"),
      scope("put", "/v1/users/password"), scope("post", "/v1/auth/login")], ["read", "write", "background", "admin", "person", undefined])
  })

  it("lets the payload of a task be any JSON, for kinds differ", () => {
    const payload = at(document, "components", "schemas", "TaskRequest", "properties", "payload")
    assert.deepStrictEqual(entries(payload).map(([keyword]) => keyword), ["description"])
  })

  it("refers to nothing that is not there, by names without technical suffixes", () => {
    const names = new Set(entries(at(document, "components", "schemas")).map(([name]) => name))
    for (const [, name] of JSON.stringify(document).matchAll(/"#\/components\/schemas\/([^"]+)"/g)) assert.isTrue(names.has(name ?? ""), name)
    assert.deepStrictEqual([...names].filter((name) => name.endsWith("Encoded")), [])
  })
})

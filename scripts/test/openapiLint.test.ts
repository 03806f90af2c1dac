/** What `npm run openapi:lint` finds in a document that falls short. */
import { assert, describe, it } from "@effect/vitest"
import { EngLogApi } from "@englog/rpc/http/Api"
import { Predicate } from "effect"
import { OpenApi } from "effect/http-api"
import { spawnSync } from "node:child_process"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"

const root = path.resolve(import.meta.dirname, "../..")

type Change = (value: unknown) => unknown

/** A copy in which one place is changed; undefined removes it. */
const changed = (value: unknown, [key, ...rest]: ReadonlyArray<string>, change: Change): unknown => {
  if (key === undefined) return change(value)
  if (Array.isArray(value)) return value.map((item, index) => String(index) === key ? changed(item, rest, change) : item)
  return Predicate.isObject(value)
    ? Object.fromEntries(Object.entries(value).map(([name, child]) => [name, name === key ? changed(child, rest, change) : child]))
    : value
}

const operation = (method: string, route: string, ...more: ReadonlyArray<string>) => ["paths", route, method, ...more]
const json = ["content", "application/json"]

const faults: ReadonlyArray<readonly [found: string, place: ReadonlyArray<string>, change: Change]> = [
  ["englog-summary", operation("get", "/v1/tags", "summary"), () => undefined],
  ["operation-description", operation("get", "/v1/tags", "description"), () => undefined],
  ["operation-tags", operation("get", "/v1/teams", "tags"), () => undefined],
  ["englog-examples", operation("post", "/v1/goals", "requestBody", ...json, "example"), () => undefined],
  ["englog-examples", operation("get", "/v1/goals/{id}", "responses", "404", ...json, "example"), () => undefined],
  ["x-required-scope must be one of", operation("get", "/v1/teams/{id}", "x-required-scope"), () => undefined],
  ["a list without the parameter limit", operation("get", "/v1/projects", "parameters"), () => []],
  ["a string without limits", operation("get", "/v1/logs/{id}", "parameters", "0", "schema"), () => ({ type: "string" })],
  ["a string without limits", operation("put", "/v1/logs/{id}", "parameters", "0", "schema"), () => ({ type: "string", pattern: "^a[x]*$" })],
  ["a integer without limits", operation("delete", "/v1/logs/{id}", "parameters", "0", "schema"), () => ({ type: "integer", minimum: 1 })],
  ["a array without limits", operation("delete", "/v1/tags/{id}", "parameters", "0", "schema"), () => ({ type: "array", items: { type: "string" } })],
  ["no-invalid-media-type-examples", operation("get", "/v1/tags/{id}", "responses", "200", ...json, "example"), () => ({ name: 5 })],
  ["operation-4xx-response", operation("get", "/v1/workers/health", "responses"), () => ({ 200: { description: "x" } })]
]

describe("openapi:lint", () => {
  it("finds each of the faults that it is there for", () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), "englog-lint-"))
    const file = path.join(folder, "openapi.json")
    const document: unknown = JSON.parse(JSON.stringify(OpenApi.fromApi(EngLogApi)))
    fs.writeFileSync(file, JSON.stringify(faults.reduce((faulty, [, place, change]) => changed(faulty, place, change), document)))
    const run = spawnSync(process.execPath, [path.join(root, "scripts/openapiLint.ts"), file], { cwd: root, encoding: "utf8" })
    fs.rmSync(folder, { recursive: true })
    const said = `${run.stdout}${run.stderr}`
    assert.strictEqual(run.status, 1, said)
    for (const [found] of faults) assert.include(said, found)
    const bounds = said.split("\n").filter((line) => line.includes("englog-bounded-parameters"))
    assert.strictEqual(bounds.length, 4, bounds.join("\n"))
    const examples = said.split("\n").filter((line) => line.includes("englog-examples"))
    assert.strictEqual(examples.length, 2, examples.join("\n"))
  }, 180_000)
})

/**
 * Makes the OpenAPI document from the code, or takes the file that is given, and holds it to what openapi/README.md says. Exits 1
 * where it falls short.
 */
import { EngLogApi } from "@englog/rpc/http/Api"
import { OpenApi } from "effect/http-api"
import { spawnSync } from "node:child_process"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"

const root = path.resolve(import.meta.dirname, "..")
const rules = path.join(root, "openapi")

const made = (): string => {
  const temporary = fs.mkdtempSync(path.join(os.tmpdir(), "englog-openapi-"))
  process.on("exit", () => fs.rmSync(temporary, { recursive: true, force: true }))
  const file = path.join(temporary, "openapi.json")
  fs.writeFileSync(file, JSON.stringify(OpenApi.fromApi(EngLogApi), undefined, 1))
  return file
}

const file = process.argv[2] ?? made()
const env = { ...process.env, REDOCLY_TELEMETRY: "off", REDOCLY_SUPPRESS_UPDATE_NOTICE: "true" }
const passes = (name: string, args: ReadonlyArray<string>): boolean =>
  spawnSync(path.join(root, "node_modules/.bin", name), [...args, file], { cwd: root, stdio: "inherit", env }).status === 0

const results = [
  passes("redocly", ["lint", "--config", path.join(rules, "redocly.yaml"), "--format", "stylish", "--max-problems", "500"]),
  passes("spectral", ["lint", "--ruleset", path.join(rules, "spectral.yaml"), "--fail-severity", "warn", "--quiet"])
]
if (results.includes(false)) process.exitCode = 1
else console.log("The OpenAPI document is clean.")

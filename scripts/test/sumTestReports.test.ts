import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { afterAll, assert, describe, it } from "vitest"

const script = path.resolve(import.meta.dirname, "../sumTestReports.ts")
const folder = fs.mkdtempSync(path.join(os.tmpdir(), "englog-reports-"))
let count = 0

const lastLine = (files: Readonly<Record<string, string>>): string => {
  const at = path.join(folder, String(count++))
  fs.mkdirSync(at)
  for (const [name, text] of Object.entries(files)) fs.writeFileSync(path.join(at, name), text)
  return execFileSync(process.execPath, [script, at], { encoding: "utf8" })
}
const report = (passed: number, failed: number, files: ReadonlyArray<{ status: string; tests: ReadonlyArray<string> }> = []) =>
  JSON.stringify({
    numPassedTests: passed,
    numFailedTests: failed,
    testResults: files.map(({ status, tests }) => ({ status, assertionResults: tests.map((of) => ({ status: of })) }))
  })

describe("The sum of test reports", () => {
  afterAll(() => fs.rmSync(folder, { recursive: true, force: true }))

  it("adds the tests of all steps", () => {
    assert.strictEqual(
      lastLine({ "check.status": "0\n", "check.json": report(40, 0), "conformance.status": "1\n", "conformance.json": report(7, 2) }),
      "47 passed, 2 failed\n"
    )
  })

  it("counts a step that failed without running tests", () => {
    assert.strictEqual(lastLine({ "install.status": "0\n", "check.status": "2\n" }), "0 passed, 1 failed\n")
  })

  it("counts a test file that does not load", () => {
    const files = [{ status: "failed", tests: [] }, { status: "passed", tests: ["passed"] }]
    assert.strictEqual(lastLine({ "check.status": "1\n", "check.json": report(1, 0, files) }), "1 passed, 1 failed\n")
  })

  it("counts an error outside of any test, which only the exit code tells", () => {
    assert.strictEqual(lastLine({ "check.status": "1\n", "check.json": report(3, 0) }), "3 passed, 1 failed\n")
  })

  it("never calls nothing at all a success", () => {
    assert.strictEqual(lastLine({}), "0 passed, 1 failed\n")
  })
})

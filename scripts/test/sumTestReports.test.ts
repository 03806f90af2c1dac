import { execFileSync, spawnSync } from "node:child_process"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { afterAll, assert, describe, it } from "vitest"

const script = (name: string): string => path.resolve(import.meta.dirname, "..", name)
const folder = fs.mkdtempSync(path.join(os.tmpdir(), "englog-reports-"))
let count = 0

type Files = Readonly<Record<string, string>>
const folderOf = (files: Files): string => {
  const at = path.join(folder, String(count++))
  fs.mkdirSync(at)
  for (const [name, text] of Object.entries(files)) fs.writeFileSync(path.join(at, name), text)
  return at
}
const sumOf = (files: Files): string => execFileSync(process.execPath, [script("sumTestReports.ts"), folderOf(files)], { encoding: "utf8" })

interface File {
  readonly name: string
  readonly tests: Readonly<Record<string, "passed" | "failed">>
}
const report = (passed: number, files: ReadonlyArray<File> = []) =>
  JSON.stringify({
    numPassedTests: passed,
    numFailedTests: files.flatMap(({ tests }) => Object.values(tests)).filter((status) => status === "failed").length,
    testResults: files.map(({ name, tests }) => ({
      name,
      status: Object.keys(tests).length > 0 && !Object.values(tests).includes("failed") ? "passed" : "failed",
      assertionResults: Object.entries(tests).map(([fullName, status]) => ({ fullName, status }))
    }))
  })
const one: File = { name: "one.test.ts", tests: { holds: "passed", breaks: "failed" } }

afterAll(() => fs.rmSync(folder, { recursive: true, force: true }))

describe("The sum of test reports", () => {
  it("adds the tests of all steps and names those that failed", () => {
    assert.strictEqual(
      sumOf({ "check.status": "0\n", "check.json": report(40), "conformance.status": "1\n", "conformance.json": report(7, [one]) }),
      "FAILED (conformance): one.test.ts > breaks\n47 passed, 1 failed\n"
    )
  })

  it("counts a step that failed without running tests", () => {
    assert.strictEqual(sumOf({ "install.status": "0\n", "check.status": "2\n" }), "FAILED: check, with exit code 2\n0 passed, 1 failed\n")
  })

  it("counts a test file that does not load", () => {
    const files = [{ name: "broken.test.ts", tests: {} }, { name: "whole.test.ts", tests: { holds: "passed" as const } }]
    assert.strictEqual(
      sumOf({ "check.status": "1\n", "check.json": report(1, files) }),
      "FAILED (check): broken.test.ts\n1 passed, 1 failed\n"
    )
  })

  it("counts an error outside of any test, which only the exit code tells", () => {
    assert.strictEqual(sumOf({ "check.status": "1\n", "check.json": report(3) }), "FAILED: check, with exit code 1\n3 passed, 1 failed\n")
  })

  it("counts a test that passed when it was asked again, and says that it needed that", () => {
    assert.strictEqual(
      sumOf({
        "check.status": "0\n",
        "check.json": report(3, [one]),
        "check.again.json": report(2, [{ ...one, tests: { holds: "passed", breaks: "passed" } }])
      }),
      "UNSTABLE (check), passed when asked again: one.test.ts > breaks\n4 passed, 0 failed\n"
    )
  })

  it("counts a test that failed twice", () => {
    assert.strictEqual(
      sumOf({ "check.status": "1\n", "check.json": report(3, [one]), "check.again.json": report(1, [one]) }),
      "FAILED (check): one.test.ts > breaks\n3 passed, 1 failed\n"
    )
  })

  it("never calls nothing at all a success", () => {
    assert.strictEqual(sumOf({}), "0 passed, 1 failed\n")
  })
})

describe("Asking failed test files again", () => {
  const ask = (files: Files) => spawnSync(process.execPath, [script("askAgain.ts"), folderOf(files), "check"], { encoding: "utf8" })

  it("does not where no test failed, which leaves the failure to the step", () => {
    assert.strictEqual(ask({}).status, 1)
    assert.strictEqual(ask({ "check.json": report(3) }).status, 1)
  })

  it("does not where too much failed to be a coincidence", () => {
    const files = ["a", "b", "c", "d"].map((name) => ({ name: `${name}.test.ts`, tests: { breaks: "failed" as const } }))
    const { status, stdout } = ask({ "check.json": report(3, files) })
    assert.strictEqual(status, 1)
    assert.include(stdout, "4 test files failed; not asked again")
  })

  it("runs the files that failed, and those alone", () => {
    const name = path.resolve(import.meta.dirname, "../../packages/domain/test/users/LocalDays.test.ts")
    const at = folderOf({ "check.json": report(1, [{ name, tests: { "was late": "failed" } }]), "check.status": "0" })
    const { status } = spawnSync(process.execPath, [script("askAgain.ts"), at, "check"], { encoding: "utf8" })
    assert.strictEqual(status, 0)
    const again = JSON.parse(fs.readFileSync(path.join(at, "check.again.json"), "utf8"))
    assert.deepStrictEqual(again.testResults.map((file: File) => file.name), [name])
  })
})

/**
 * Prints `N passed, N failed` for a folder of steps: NAME.json is vitest's JSON report (if the step ran tests),
 * NAME.status the exit code. A step that failed without a failed test counts as one failure.
 */
import * as fs from "node:fs"
import * as path from "node:path"

interface Report {
  readonly numPassedTests: number
  readonly numFailedTests: number
  readonly testResults: ReadonlyArray<{ readonly status: string; readonly assertionResults: ReadonlyArray<{ readonly status: string }> }>
}

const folder = process.argv[2] ?? "."
const names = fs.readdirSync(folder).flatMap((name) => /^(.+)\.status$/.exec(name)?.[1] ?? [])

const readReport = (name: string): Report | undefined => {
  const file = path.join(folder, `${name}.json`)
  return fs.existsSync(file) ? JSON.parse(fs.readFileSync(file, "utf8")) : undefined
}

const totals = names.map((name) => {
  const exitCode = Number(fs.readFileSync(path.join(folder, `${name}.status`), "utf8"))
  const report = readReport(name)
  // A file that does not load fails without any test of it having failed.
  const unloaded = report?.testResults.filter(({ status, assertionResults }) =>
    status === "failed" && !assertionResults.some((test) => test.status === "failed")
  ).length ?? 0
  const failed = (report?.numFailedTests ?? 0) + unloaded
  return { passed: report?.numPassedTests ?? 0, failed: failed === 0 && exitCode !== 0 ? 1 : failed }
})

const sum = (of: "passed" | "failed"): number => totals.reduce((total, step) => total + step[of], 0)
console.log(`${sum("passed")} passed, ${totals.length === 0 ? 1 : sum("failed")} failed`)

/** What this project reads of vitest's JSON report. */
import * as fs from "node:fs"
import * as path from "node:path"

export interface TestReport {
  readonly numPassedTests: number
  readonly numFailedTests: number
  readonly testResults: ReadonlyArray<{
    /** The test file. */
    readonly name: string
    readonly status: string
    readonly assertionResults: ReadonlyArray<{ readonly status: string; readonly fullName: string }>
  }>
}

/** FOLDER/STEP.json, where that step got as far as its tests. */
export const readReport = (folder: string, step: string): TestReport | undefined => {
  const file = path.join(folder, `${step}.json`)
  return fs.existsSync(file) ? JSON.parse(fs.readFileSync(file, "utf8")) : undefined
}

/** The files in which a test failed, and those that could not be loaded. */
export const failedFiles = (report: TestReport): ReadonlyArray<string> =>
  [...new Set(report.testResults.filter(({ status }) => status === "failed").map(({ name }) => name))]

/** Names of what failed: `file > test`, or the file alone where it failed without any test of it having failed (it did not load). */
export const failures = (report: TestReport): ReadonlyArray<string> =>
  report.testResults.filter(({ status }) => status === "failed").flatMap(({ assertionResults, name }) => {
    const tests = assertionResults.filter(({ status }) => status === "failed").map(({ fullName }) => `${name} > ${fullName}`)
    return tests.length === 0 ? [name] : tests
  })

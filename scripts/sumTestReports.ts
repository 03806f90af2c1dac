/**
 * Prints what failed, and as last line `N passed, N failed`, for a folder of steps: STEP.json is vitest's JSON report (if the step ran
 * tests), STEP.status the exit code, STEP.again.json the report of the failed files when they were asked once more (askAgain). A step
 * that failed without a failed test counts as one failure. A test that passed the second time counts as passed, and is told.
 */
import * as fs from "node:fs"
import * as path from "node:path"
import { failures, readReport } from "./TestReport.ts"

const folder = process.argv[2] ?? "."
const steps = fs.readdirSync(folder).flatMap((name) => /^(.+)\.status$/.exec(name)?.[1] ?? [])

const totals = steps.map((step) => {
  const exitCode = Number(fs.readFileSync(path.join(folder, `${step}.status`), "utf8"))
  const report = readReport(folder, step)
  const again = readReport(folder, `${step}.again`)
  const first = report === undefined ? [] : failures(report)
  const last = again === undefined ? first : failures(again)
  for (const name of last) console.log(`FAILED (${step}): ${name}`)
  const unstable = first.filter((name) => !last.includes(name))
  for (const name of unstable) console.log(`UNSTABLE (${step}), passed when asked again: ${name}`)
  if (exitCode !== 0 && last.length === 0) console.log(`FAILED: ${step}, with exit code ${exitCode}`)
  return {
    passed: (report?.numPassedTests ?? 0) + unstable.length,
    failed: exitCode !== 0 ? Math.max(1, last.length) : last.length
  }
})

const sum = (of: "passed" | "failed"): number => totals.reduce((total, step) => total + step[of], 0)
console.log(`${sum("passed")} passed, ${totals.length === 0 ? 1 : sum("failed")} failed`)

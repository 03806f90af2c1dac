/**
 * `node scripts/askAgain.ts FOLDER STEP`: runs the test files that failed in FOLDER/STEP.json once more, one at a time, with nothing
 * beside them, and writes what came of it to FOLDER/STEP.again.json. Exit code 0: all of them passed now.
 *
 * Why: the suites start, stop and kill real programs under time limits, three files at a time on two cores. One test in two thousand
 * that is late once in two thousand runs would turn away every third change. What fails twice fails; what fails once is told by name
 * (sumTestReports). More than `most` files are no coincidence and are not asked again, and neither is an error outside of the tests.
 */
import { spawnSync } from "node:child_process"
import * as path from "node:path"
import { failedFiles, readReport } from "./TestReport.ts"

const most = 3

const [folder = ".", step = ""] = process.argv.slice(2)
const report = readReport(folder, step)
const files = report === undefined ? [] : failedFiles(report)
if (files.length === 0 || files.length > most) {
  console.log(`== ${step}: ${files.length} test files failed; not asked again`)
  process.exit(1)
}

const root = path.resolve(import.meta.dirname, "..")
const output = path.join(folder, `${step}.again.json`)
// By npm, whose scripts run on the Node of this project.
const options = ["--maxWorkers=1", "--reporter=default", "--reporter=json", `--outputFile.json=${output}`]
const again = spawnSync("npm", ["test", "--", ...options, ...files], { cwd: root, stdio: "inherit" })
process.exit(again.status ?? 1)

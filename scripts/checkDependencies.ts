/** Exits 1 and names each import that goes against the direction of dependencies (Dependencies.ts). */
import * as fs from "node:fs"
import * as path from "node:path"
import { violations } from "./Dependencies.ts"

const root = path.resolve(import.meta.dirname, "..")
const files = fs.globSync("packages/*/{src,test}/**/*.ts", { cwd: root }).map((file) => file.replaceAll(path.sep, "/"))
const found = violations(new Map(files.map((file) => [file, fs.readFileSync(path.join(root, file), "utf8")])))

for (const violation of found) console.error(violation)
if (found.length > 0) process.exitCode = 1
else console.log(`Dependencies of ${files.length} files go the right way.`)

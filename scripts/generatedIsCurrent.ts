/**
 * Exits 1 and names the files where the committed code is not what `buf generate` makes of proto/ now. Generates into a
 * temporary folder: the checkout stays as it is.
 */
import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"

const root = path.resolve(import.meta.dirname, "..")
const generated = "packages/rpc/src/grpc/gen"

const filesIn = (folder: string): ReadonlyArray<string> => fs.globSync("**/*.{js,ts}", { cwd: folder })
const read = (file: string): string | undefined => fs.existsSync(file) ? fs.readFileSync(file, "utf8") : undefined

const temporary = fs.mkdtempSync(path.join(os.tmpdir(), "englog-generated-"))
process.on("exit", () => fs.rmSync(temporary, { recursive: true, force: true }))
const bin = path.join(root, "node_modules/.bin")
execFileSync(path.join(bin, "buf"), ["generate", "--output", temporary], {
  cwd: root,
  stdio: "inherit",
  env: { ...process.env, PATH: `${bin}${path.delimiter}${process.env["PATH"] ?? ""}` }
})

const committed = path.join(root, generated)
const fresh = path.join(temporary, generated)
const names = [...new Set([...filesIn(committed), ...filesIn(fresh)])].sort()
const stale = names.filter((name) => read(path.join(committed, name)) !== read(path.join(fresh, name)))

for (const name of stale) console.error(`${generated}/${name} is not what proto/ generates: run npm run generate and commit it.`)
if (names.length === 0) console.error("buf generate made no files.")
if (stale.length > 0 || names.length === 0) process.exitCode = 1
else console.log(`${names.length} generated files are up to date.`)

/** `npm run bruno`: writes examples/bruno anew from the OpenAPI document. `--check`: only says what is not current, and exits 1 if anything is. */
import { EngLogApi } from "@englog/rpc/http/Api"
import { OpenApi } from "effect/http-api"
import * as fs from "node:fs"
import * as path from "node:path"
import { brunoCollection } from "./bruno/BrunoCollection.ts"

const folder = path.resolve(import.meta.dirname, "../examples/bruno")
const files = brunoCollection(JSON.parse(JSON.stringify(OpenApi.fromApi(EngLogApi))))
const there = fs.existsSync(folder) ? fs.globSync("**/*.{bru,json}", { cwd: folder }).map((file) => file.replaceAll(path.sep, "/")) : []
const read = (name: string): string | undefined => there.includes(name) ? fs.readFileSync(path.join(folder, name), "utf8") : undefined
const stale = [...new Set([...files.keys(), ...there])].sort().filter((name) => files.get(name) !== read(name))

if (process.argv.includes("--check")) {
  for (const name of stale) console.error(`examples/bruno/${name} is not what the OpenAPI document says: run npm run bruno and commit it.`)
  if (stale.length > 0) process.exitCode = 1
  else console.log(`${files.size} files of the Bruno collection are up to date.`)
} else {
  for (const name of stale) {
    const file = path.join(folder, name)
    const text = files.get(name)
    if (text === undefined) fs.rmSync(file)
    else {
      fs.mkdirSync(path.dirname(file), { recursive: true })
      fs.writeFileSync(file, text)
    }
  }
  console.log(`${stale.length} of ${files.size} files of examples/bruno are new, changed or gone.`)
}

/** `node bench/profile.ts FOLDER`: where the CPU time of profiled processes went, by package and by function (self time). */
import { Schema } from "effect"
import * as fs from "node:fs"
import * as path from "node:path"
import { summaryOf } from "./comparison/ProfileSummary.ts"

const Profile = Schema.fromJsonString(Schema.Struct({
  nodes: Schema.Array(Schema.Struct({
    id: Schema.Int,
    callFrame: Schema.Struct({ functionName: Schema.String, url: Schema.String, lineNumber: Schema.Int })
  })),
  samples: Schema.Array(Schema.Int),
  timeDeltas: Schema.Array(Schema.Int)
}))
const decode = Schema.decodeUnknownSync(Profile)

const [folder = "."] = process.argv.slice(2)
for (const name of fs.readdirSync(folder).filter((one) => one.endsWith(".cpuprofile"))) {
  console.log(`${name}\n${summaryOf(decode(fs.readFileSync(path.join(folder, name), "utf8")))}\n`)
}

/** A kind of task whose handler says in a file what it did: what ran is told by whoever ran it, not by the record. */
import { Schema } from "effect"
import * as fs from "node:fs"

export const LoggedWork = {
  kind: "LOGGED_WORK",
  payload: Schema.Struct({ milliseconds: Schema.Int }),
  result: Schema.Struct({ attempt: Schema.Int })
}

const WorkLine = Schema.Struct({
  task_id: Schema.String,
  attempt: Schema.Int,
  what: Schema.Literals(["started", "finished", "interrupted"])
})
export type WorkLine = typeof WorkLine.Type

const decode = Schema.decodeSync(Schema.fromJsonString(WorkLine))

/** It is with the operating system before the handler goes on. */
export const write = (file: string, line: WorkLine): void => fs.appendFileSync(file, `${JSON.stringify(line)}\n`)

/** None where nothing was written yet. */
export const read = (file: string): ReadonlyArray<WorkLine> =>
  fs.existsSync(file) ? fs.readFileSync(file, "utf8").split("\n").filter((line) => line !== "").map((line) => decode(line)) : []

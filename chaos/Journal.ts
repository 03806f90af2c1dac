/**
 * Append-only files of JSON lines, one writer each. A line is with the operating system before the writer goes on, so that it
 * outlives the kill of the writer; a line that a kill cut short is not read.
 */
import { Option, Schema } from "effect"
import * as fs from "node:fs"

export interface Journal<A> {
  readonly write: (line: A) => void
}

export const open = <A, I>(file: string, schema: Schema.Codec<A, I>): Journal<A> => {
  const descriptor = fs.openSync(file, "a")
  const encode = Schema.encodeSync(Schema.fromJsonString(schema))
  return { write: (line) => void fs.writeSync(descriptor, `${encode(line)}\n`) }
}

/** Every whole line; none where there is no such file. */
export const read = <A, I>(file: string, schema: Schema.Codec<A, I>): ReadonlyArray<A> => {
  if (!fs.existsSync(file)) return []
  const decode = Schema.decodeUnknownOption(Schema.fromJsonString(schema))
  return fs.readFileSync(file, "utf8").split("\n").flatMap((line) => Option.toArray(decode(line)))
}

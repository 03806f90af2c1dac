/**
 * What is wrong with the bytes of a JSON body, in a sentence that names the field.
 */
import type { Refusal } from "@englog/rpc/http/ErrorAnswer"
import { isUtf8 } from "node:buffer"
import { jsonProblem } from "./JsonProblem.ts"
import { fieldProblems } from "./RequestProblems.ts"

/** Keeps a byte order mark, which JSON must not begin with (RFC 8259, section 8.1). */
const decoder = new TextDecoder("utf-8", { ignoreBOM: true })

export const bodyProblem = (bytes: Uint8Array): Refusal | undefined => {
  if (!isUtf8(bytes)) return malformed("is not valid UTF-8")
  const problem = jsonProblem(decoder.decode(bytes))
  return problem === undefined ? undefined : problem.field === "" ? malformed(problem.reason) : fieldProblems([problem])
}

const malformed = (reason: string): Refusal => ({ ...fieldProblems([{ field: "body", reason }]), code: "malformed_body" })

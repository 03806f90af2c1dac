/**
 * What is wrong with what a client sent, before any procedure sees it: no JSON, no message of the protocol, or a payload that
 * does not fit.
 */
import { EngLogRpcs } from "@englog/rpc/rpc/EngLogRpcs"
import { Predicate, Result, Schema } from "effect"
import { jsonProblem } from "../http/errors/JsonProblem.ts"
import { describeIssue, fieldProblems, type FieldProblems } from "../http/errors/RequestProblems.ts"

const MessageId = Schema.Union([Schema.Int, Schema.String.check(Schema.isMaxLength(100))])
const hexadecimal = (digits: number) => Schema.optionalKey(Schema.String.check(Schema.isPattern(new RegExp(`^[0-9a-f]{${digits}}$`))))

const schemas = {
  Request: Schema.Struct({
    id: MessageId,
    tag: Schema.Literals([...EngLogRpcs.requests.keys()]),
    headers: Schema.Array(Schema.Tuple([Schema.String, Schema.String])),
    traceId: hexadecimal(32),
    spanId: hexadecimal(16),
    sampled: Schema.optionalKey(Schema.Boolean)
  }),
  Ack: Schema.Struct({ requestId: MessageId }),
  Interrupt: Schema.Struct({ requestId: MessageId }),
  Ping: Schema.Struct({}),
  Eof: Schema.Struct({})
} as const

const isMessageTag = Schema.is(Schema.Literals(["Request", "Ack", "Interrupt", "Ping", "Eof"]))

/** What is wrong with a line that is no message of the protocol. */
export const lineProblem = (line: string): FieldProblems | undefined => {
  const problem = jsonProblem(line)
  if (problem !== undefined) return fieldProblems([{ ...problem, field: problem.field === "" ? "message" : problem.field }])
  const message: unknown = JSON.parse(line)
  const tag = Predicate.hasProperty(message, "_tag") ? message["_tag"] : undefined
  return isMessageTag(tag)
    ? schemaProblem(schemas[tag], message)
    : fieldProblems([{ field: "_tag", reason: `must be one of ${Object.keys(schemas).join(", ")}` }])
}

const payloads = new Map([...EngLogRpcs.requests].map(([tag, rpc]) => [tag, Schema.toCodecJson(rpc.payloadSchema)] as const))

/** What is wrong with a payload that this procedure does not take. */
export const payloadProblem = (tag: string, payload: unknown): FieldProblems | undefined => {
  const schema = payloads.get(tag)
  return schema === undefined ? fieldProblems([{ field: "tag", reason: "is no procedure of this server" }]) : schemaProblem(schema, payload, "error")
}

const schemaProblem = (
  schema: Schema.Codec<unknown, unknown>,
  value: unknown,
  onExcessProperty: "error" | "ignore" = "ignore"
): FieldProblems | undefined =>
  Result.match(Schema.decodeUnknownResult(schema, { errors: "all", onExcessProperty })(value), {
    onSuccess: () => undefined,
    onFailure: ({ issue }) => describeIssue(issue, "Payload")
  })

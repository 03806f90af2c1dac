/** From the text of a model to an answer that fits the schema: models like to wrap JSON in a code fence and a greeting. */
import { Effect, Schema } from "effect"
import { InsightAnswer } from "./DomainStandIn.ts"
import { ModelError, type ModelReply } from "./InsightModel.ts"

const decode = Schema.decodeEffect(Schema.fromJsonString(InsightAnswer))

export const read = (reply: ModelReply): Effect.Effect<typeof InsightAnswer.Type, ModelError> =>
  decode(bare(reply.text)).pipe(
    Effect.mapError((cause) =>
      new ModelError({
        reason: "Garbage",
        message: reply.complete ? "the model's answer does not fit the schema" : "the model's answer was cut off",
        cause
      })
    )
  )

/** JSON Schema that providers force upon the model. */
export const format: object = Schema.toJsonSchemaDocument(InsightAnswer).schema

const bare = (text: string): string => {
  const trimmed = text.trim()
  const fenced = /```(?:json)?\s*\n?([\s\S]*?)```/.exec(trimmed)?.[1] ?? trimmed
  const start = fenced.indexOf("{")
  const end = fenced.lastIndexOf("}")
  return start >= 0 && end > start ? fenced.slice(start, end + 1) : fenced
}

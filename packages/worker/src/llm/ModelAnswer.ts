/** From the text of a model to an answer that fits the schema: models like to wrap JSON in a code fence and a greeting. */
import { InsightDraft } from "@englog/domain/insights/Insight"
import { InsightAnswer } from "@englog/domain/insights/Prompt"
import { Effect, Schema } from "effect"
import { ModelError, type ModelReply } from "./InsightModel.ts"

const isDraft = Schema.is(InsightDraft)

/** Reads an answer of this shape. */
export const reader = <A, I>(shape: Schema.Codec<A, I>) => {
  const decode = Schema.decodeEffect(Schema.fromJsonString(shape))
  return (reply: ModelReply): Effect.Effect<A, ModelError> =>
    decode(bare(reply.text)).pipe(
      Effect.mapError((cause) =>
        garbage(reply.complete ? "the model's answer does not fit the schema" : "the model's answer was cut off", cause)
      )
    )
}

const readInsight = reader(InsightAnswer)

export const read = (reply: ModelReply): Effect.Effect<InsightAnswer, ModelError> =>
  readInsight(reply).pipe(
    Effect.map((answer) => ({ ...answer, tags: tidy(answer.tags) })),
    Effect.filterOrFail(
      (answer) => answer.content.trim() !== "" && isDraft(answer),
      () => garbage("the model's answer is empty or too long")
    )
  )

const garbage = (message: string, cause?: unknown) =>
  new ModelError({ reason: "Garbage", message, ...(cause === undefined ? {} : { cause }) })

/** Within the bounds of a draft: a talkative list of tags is no reason to throw the insight away. */
const tidy = (tags: ReadonlyArray<string>): ReadonlyArray<string> =>
  [...new Set(tags.map((tag) => tag.trim().slice(0, 100)).filter((tag) => tag !== ""))].slice(0, 20)

/** JSON Schema that providers force upon the model. */
export const format: object = Schema.toJsonSchemaDocument(InsightAnswer).schema

const bare = (text: string): string => {
  const trimmed = text.trim()
  const fenced = /```(?:json)?\s*\n?([\s\S]*?)```/.exec(trimmed)?.[1] ?? trimmed
  const start = fenced.indexOf("{")
  const end = fenced.lastIndexOf("}")
  return start >= 0 && end > start ? fenced.slice(start, end + 1) : fenced
}

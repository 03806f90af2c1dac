/** Yes or no as a query parameter: `true` or `false`. */
import { Schema, SchemaTransformation } from "effect"

export const QueryFlag = (description: string) =>
  Schema.Literals(["true", "false"]).annotate({ description }).pipe(
    Schema.decodeTo(
      Schema.Boolean,
      SchemaTransformation.transform({ decode: (text) => text === "true", encode: (is) => is ? "true" as const : "false" as const })
    )
  )

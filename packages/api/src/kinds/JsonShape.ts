/**
 * A JSON Schema that somebody else wrote, as a check with this project's own words: `<path>: <reason>`.
 *
 * Effect's importer knows the keywords that describe data and refuses those it cannot keep. `pattern` is not applied: a regular
 * expression of a stranger may take forever; the worker's own schema still holds values to it (docs/decisions/0020).
 */
import { JsonSchema, Predicate, Result, Schema, SchemaIssue, SchemaRepresentation } from "effect"
import { describeIssue, type FieldProblems } from "../http/errors/RequestProblems.ts"

export interface JsonShape {
  /** What is wrong with a value; undefined where nothing is. `path`: where the value stands. */
  readonly problem: (value: unknown, path: ReadonlyArray<PropertyKey>) => FieldProblems | undefined
}

/** Or why it is no schema that could be held to. */
export const compile = (schema: unknown): Result.Result<JsonShape, string> => {
  if (schema === true) return Result.succeed({ problem: () => undefined })
  if (!Predicate.isObject(schema)) return Result.fail("must be a JSON Schema: an object, or true")
  return Result.try({
    try: () => {
      const imported = SchemaRepresentation.fromJsonSchemaDocument(JsonSchema.fromSchemaDraft2020_12({ ...schema }), { patterns: "ignore" })
      return shapeOf(Schema.make<Schema.Codec<unknown, unknown>>(imported.ast))
    },
    catch: (error) => `is no JSON Schema that can be used: ${error instanceof Error ? error.message : String(error)}`
  })
}

const shapeOf = (schema: Schema.Codec<unknown, unknown>): JsonShape => {
  const decode = Schema.decodeUnknownResult(schema, { errors: "all", onExcessProperty: "error" })
  return {
    problem: (value, path) =>
      Result.match(decode(value), {
        onSuccess: () => undefined,
        onFailure: ({ issue }) => describeIssue(new SchemaIssue.Pointer(path, issue), "Payload")
      })
  }
}

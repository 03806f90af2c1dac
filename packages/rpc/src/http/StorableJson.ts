/** JSON that somebody sends to be kept: PostgreSQL stores neither NUL nor half of a surrogate pair. */
import { Predicate, Schema } from "effect"
import { unstorable } from "./PlainText.ts"

/** The first problem in it, with the way there. */
export const unstorableWithin = (
  json: Schema.Json,
  path: ReadonlyArray<PropertyKey> = []
): { readonly path: ReadonlyArray<PropertyKey>; readonly reason: string } | undefined => {
  if (typeof json === "string") {
    const reason = unstorable(json)
    return reason === undefined ? undefined : { path, reason }
  }
  const parts: ReadonlyArray<readonly [PropertyKey, Schema.Json]> = isList(json) ? [...json.entries()] : isObject(json) ? Object.entries(json) : []
  for (const [key, value] of parts) {
    const name = typeof key === "string" ? unstorable(key) : undefined
    if (name !== undefined) return { path, reason: `a field's name ${name}` }
    const problem = unstorableWithin(value, [...path, key])
    if (problem !== undefined) return problem
  }
  return undefined
}

type JsonObject = { readonly [name: string]: Schema.Json }

const isList = (json: Schema.Json): json is ReadonlyArray<Schema.Json> => Array.isArray(json)
const isObject = (json: Schema.Json): json is JsonObject => Predicate.isObject(json) && !Array.isArray(json)

/** Any JSON. */
export const StorableJson = Schema.Json.check(
  Schema.makeFilter<Schema.Json>((json) => {
    const problem = unstorableWithin(json)
    return problem === undefined ? undefined : { path: problem.path, issue: problem.reason }
  }, { toJsonSchema: () => [{}, true] })
)

/**
 * Examples of an endpoint in the OpenAPI document: `transform: examples({ request, response })`.
 */
import { Predicate, type Schema } from "effect"

const entries = (value: unknown): ReadonlyArray<readonly [string, unknown]> => Predicate.isObject(value) ? Object.entries(value) : []

const withExample = (holder: unknown, example: Schema.Json): unknown =>
  Predicate.hasProperty(holder, "content")
    ? {
      ...holder,
      content: Object.fromEntries(entries(holder.content).map(([type, media]) =>
        [type, type === "application/json" && Predicate.isObject(media) ? { ...media, example } : media]))
    }
    : holder

export const examples = (given: { readonly request?: Schema.Json; readonly response?: Schema.Json }) =>
(operation: Record<string, unknown>): Record<string, unknown> => ({
  ...operation,
  ...(given.request === undefined ? {} : { requestBody: withExample(operation["requestBody"], given.request) }),
  ...(given.response === undefined ? {} : {
    responses: Object.fromEntries(entries(operation["responses"]).map(([status, response]) =>
      [status, status.startsWith("2") ? withExample(response, given.response ?? null) : response]))
  })
})

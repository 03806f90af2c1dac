/**
 * Examples of an endpoint in the OpenAPI document: `transform: examples({ request, response })`. The example of a stream is one
 * of its events; `text` is that of a request's body where it may be no JSON.
 */
import { Predicate, type Schema } from "effect"

const entries = (value: unknown): ReadonlyArray<readonly [string, unknown]> => Predicate.isObject(value) ? Object.entries(value) : []

const withExample = (holder: unknown, example: Schema.Json, text: string | undefined = undefined): unknown =>
  Predicate.hasProperty(holder, "content")
    ? {
      ...holder,
      content: Object.fromEntries(entries(holder.content).map(([type, media]) =>
        [type, Predicate.isObject(media) ? { ...media, example: type === "application/json" ? example : text ?? example } : media]))
    }
    : holder

/** `others`: answers by their status where they are not all alike. */
export const examples = (given: { readonly request?: Schema.Json; readonly text?: string; readonly response?: Schema.Json; readonly others?: Readonly<Record<string, Schema.Json>> }) =>
(operation: Record<string, unknown>): Record<string, unknown> => ({
  ...operation,
  ...(given.request === undefined ? {} : { requestBody: withExample(operation["requestBody"], given.request, given.text) }),
  ...(given.response === undefined ? {} : {
    responses: Object.fromEntries(entries(operation["responses"]).map(([status, response]) =>
      [status, status.startsWith("2") ? withExample(response, given.others?.[status] ?? given.response ?? null) : response]))
  })
})

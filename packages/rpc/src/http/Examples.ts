/**
 * Examples of an endpoint in the OpenAPI document: `transform: examples({ request, response })`. The example of a stream is one
 * of its events; `text` is that of a request's body where it may be no JSON.
 */
import { Predicate, type Schema } from "effect"

const entries = (value: unknown): ReadonlyArray<readonly [string, unknown]> => Predicate.isObject(value) ? Object.entries(value) : []

const withExample = (holder: unknown, example: Schema.Json, more: { readonly text?: string | undefined; readonly schema?: string | undefined } = {}): unknown =>
  Predicate.hasProperty(holder, "content")
    ? {
      ...holder,
      content: Object.fromEntries(entries(holder.content).map(([type, media]) => [
        type,
        Predicate.isObject(media)
          ? {
            ...media,
            ...(more.schema === undefined ? {} : { schema: { $ref: `#/components/schemas/${more.schema}` } }),
            example: type === "application/json" ? example : more.text ?? example
          }
          : media
      ]))
    }
    : holder

interface Examples {
  readonly request?: Schema.Json
  readonly text?: string
  readonly response?: Schema.Json
  /** Answers by their status where they are not all alike. */
  readonly others?: Readonly<Record<string, Schema.Json>>
  /** The schema, by its name, of an answer that is streamed as bytes. */
  readonly streams?: string
}

export const examples = (given: Examples) =>
(operation: Record<string, unknown>): Record<string, unknown> => ({
  ...operation,
  ...(given.request === undefined ? {} : { requestBody: withExample(operation["requestBody"], given.request, { text: given.text }) }),
  ...(given.response === undefined ? {} : {
    responses: Object.fromEntries(entries(operation["responses"]).map(([status, response]) =>
      [status, status.startsWith("2") ? withExample(response, given.others?.[status] ?? given.response ?? null, { schema: given.streams }) : response]))
  })
})

/**
 * What the edge does to every endpoint, said in the OpenAPI document too: `Retry-After` travels as a header, and an
 * endpoint that reads no body answers neither 413 nor 415.
 */
import { Predicate } from "effect"

type Json = Readonly<Record<string, unknown>>

const isObject = (value: unknown): value is Json => Predicate.isObject(value)

const children = (value: unknown): Json => isObject(value) ? value : {}

const mapValues = (value: unknown, f: (child: unknown, key: string) => unknown): Json =>
  Object.fromEntries(Object.entries(children(value)).map(([key, child]) => [key, f(child, key)]))

const retryAfter = { "retry-after": { required: true, schema: { type: "integer", description: "Seconds to wait." } } }

const bodyOnly = new Set(["413", "415"])

const responses = (value: unknown, readsBody: boolean): Json =>
  Object.fromEntries(
    Object.entries(children(value))
      .filter(([status]) => readsBody || !bodyOnly.has(status))
      .map(([status, response]) => [
        status,
        status === "429" || status === "503" && JSON.stringify(response).includes("ServiceUnavailable")
          ? { ...children(response), headers: { ...children(children(response)["headers"]), ...retryAfter } }
          : response
      ])
  )

const operation = (value: unknown): unknown =>
  isObject(value) && "responses" in value
    ? { ...value, responses: responses(value["responses"], "requestBody" in value) }
    : value

const retried = new Set(["TooManyRequests", "ServiceUnavailable"])

const errorBody = (value: unknown, name: string): unknown =>
  isObject(value) && retried.has(name)
    ? { ...value, properties: { error: children(value["properties"])["error"] }, required: ["error"] }
    : value

export const documented = (document: Record<string, unknown>): Record<string, unknown> => ({
  ...document,
  paths: mapValues(document["paths"], (path) => mapValues(path, operation)),
  components: {
    ...children(document["components"]),
    schemas: mapValues(children(document["components"])["schemas"], errorBody)
  }
})

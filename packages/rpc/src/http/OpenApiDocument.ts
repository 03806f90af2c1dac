/**
 * What the edge does to every endpoint, said in the OpenAPI document too: `Retry-After` travels as a header, and an
 * endpoint that reads no body answers neither 413 nor 415. Schemas go by the names of what they describe.
 */
import { Predicate } from "effect"

type Json = Readonly<Record<string, unknown>>

const children = (value: unknown): Json => Predicate.isObject(value) ? { ...value } : {}

const mapValues = (value: unknown, f: (child: unknown, key: string) => unknown): Json =>
  Object.fromEntries(Object.entries(children(value)).map(([key, child]) => [key, f(child, key)]))

const retryAfter = { "retry-after": { required: true, schema: { type: "integer", description: "Seconds to wait." } } }

const isRetried = (status: string, response: unknown): boolean =>
  status === "429" || (status === "503" && JSON.stringify(response).includes("/ServiceUnavailable"))

const bodyOnly = new Set(["413", "415"])

const errors = new Map([
  ["400", "title: must not be empty; unknown field \"titel\""],
  ["401", "authorization: the token has expired"],
  ["403", "user_id: must be your own id"],
  ["404", "you have no entry 3f0e8a52-6a3c-4a52-9a6d-0d7d3a0f7c11"],
  ["409", "email: this address already has an account"],
  ["412", "if-match: the entry has changed since; read it again"],
  ["413", "body: must be at most 1048576 bytes"],
  ["415", "content-type: text/plain is not supported here; send application/json"],
  ["422", "idempotency-key: was used for another request; use a new one"],
  ["429", "too many attempts; try again in 90 seconds"],
  ["500", "internal error"],
  ["503", "the database does not answer at the moment; try again"]
])

const errorNames = "BadRequest|Unauthorized|Forbidden|NotFound|Conflict|PreconditionFailed|PayloadTooLarge|UnsupportedMediaType|UnprocessableContent|TooManyRequests|"
  + "InternalError|ServiceUnavailable"

const isErrorBody = (content: unknown): boolean => new RegExp(`/schemas/(${errorNames})"`).test(JSON.stringify(content))

const withExample = (response: unknown, status: string): Json => {
  const error = errors.get(status)
  const content = mapValues(children(response)["content"], (media) =>
    error !== undefined && isErrorBody(media) ? { ...children(media), example: { error } } : media)
  return { ...children(response), ...(Object.keys(content).length === 0 ? {} : { content }) }
}

const responses = (value: unknown, readsBody: boolean): Json =>
  Object.fromEntries(
    Object.entries(children(value))
      .filter(([status]) => readsBody || !bodyOnly.has(status))
      .map(([status, response]) => {
        const described = withExample(response, status)
        return [
          status,
          isRetried(status, response)
            ? { ...described, headers: { ...children(described["headers"]), ...retryAfter } }
            : described
        ]
      })
  )

/** What only a POST is answered: no other method takes a key. */
const keyed = "422"

const keyParameter = {
  name: "idempotency-key",
  in: "header",
  required: false,
  schema: { type: "string", minLength: 1, maxLength: 255, pattern: "^[\\x21-\\x7e]+$" },
  description: "A random text of the caller's making. The same request with the same key is carried out once within 24 hours "
    + "and answered again as it was the first time, with the header `idempotent-replayed: true`."
}

const operation = (value: unknown, method: string): unknown => {
  if (!Predicate.hasProperty(value, "responses")) return value
  const answered = responses(value.responses, "requestBody" in value)
  if (!(keyed in answered)) return { ...value, responses: answered }
  if (method !== "post") return { ...value, responses: Object.fromEntries(Object.entries(answered).filter(([status]) => status !== keyed)) }
  const parameters = Array.isArray(children(value)["parameters"]) ? [...Object.values(children(children(value)["parameters"]))] : []
  return { ...value, parameters: [...parameters, keyParameter], responses: answered }
}

const retried = new Set(["TooManyRequests", "ServiceUnavailable"])

const errorBody = (schema: unknown, name: string): unknown =>
  retried.has(name)
    ? { ...children(schema), properties: { error: { type: "string" } }, required: ["error"] }
    : schema

/** A class and its encoding are one thing on the wire: `LogEntryEncoded` is the `LogEntry` that readers know. */
const renamed = (document: Record<string, unknown>): Json => {
  const names = Object.keys(children(children(document["components"])["schemas"]))
  const taken = new Set(names)
  const short = names.filter((name) => name.endsWith("Encoded") && !taken.has(name.slice(0, -"Encoded".length)))
  return short.reduce<Json>((renamed, name) => {
    const to = name.slice(0, -"Encoded".length)
    return children(JSON.parse(
      JSON.stringify(renamed)
        .replaceAll(`"#/components/schemas/${name}"`, `"#/components/schemas/${to}"`)
        .replaceAll(`"${name}":`, `"${to}":`)
    ))
  }, document)
}

export const documented = (given: Record<string, unknown>): Record<string, unknown> => {
  const document = renamed(given)
  return {
    ...document,
    paths: mapValues(document["paths"], (path) => mapValues(path, operation)),
    components: {
      ...children(document["components"]),
    // Spelled as tools look for it; a scheme's name has no case (RFC 9110, section 11.1).
    securitySchemes: { bearer: { type: "http", scheme: "bearer", bearerFormat: "JWT or API token" } },
      schemas: mapValues(children(document["components"])["schemas"], errorBody)
    }
  }
}

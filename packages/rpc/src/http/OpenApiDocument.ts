/**
 * What the edge and the middlewares do to every endpoint, said in the OpenAPI document too: the errors, the key of requests that may
 * be sent twice, and the scope that an API token needs. Schemas go by the names of what they describe.
 */
import { Context, Predicate } from "effect"
import { HttpApi, type HttpApiGroup } from "effect/http-api"
import { children, type Json, mapValues } from "./JsonTree.ts"
import { errorBody, responses } from "./OpenApiErrors.ts"
import { RequiredScope, scopeOfMethod } from "./RequiredScope.ts"

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

/** By method and path, as the document has them. */
type Scopes = ReadonlyMap<string, RequiredScope>

/** Of every endpoint, whether it asks for a token or not. */
export const scopesOf = <Id extends string, Groups extends HttpApiGroup.Constraint>(api: HttpApi.HttpApi<Id, Groups>): Scopes => {
  const scopes = new Map<string, RequiredScope>()
  HttpApi.reflect(api, {
    onGroup: () => {},
    onEndpoint: ({ endpoint: { annotations, method, path } }) => {
      scopes.set(`${method.toLowerCase()} ${path.replace(/:(\w+)/g, "{$1}")}`, scopeOfMethod(method, Context.get(annotations, RequiredScope)))
    }
  })
  return scopes
}

/** An extension: `security` names scopes of OAuth only. */
const secured = (value: Json, scope: RequiredScope | undefined): Json =>
  scope === undefined || !Array.isArray(value["security"]) || value["security"].length === 0
    ? value
    : { ...value, "x-required-scope": scope }

const keyParameters = (value: Json): ReadonlyArray<unknown> => [...Array.isArray(value["parameters"]) ? value["parameters"] : [], keyParameter]

const operation = (value: Json, method: string): Json => {
  const answered = responses(value["responses"], "requestBody" in value)
  if (!(keyed in answered)) return { ...value, responses: answered }
  return method === "post"
    ? { ...value, parameters: keyParameters(value), responses: answered }
    : { ...value, responses: Object.fromEntries(Object.entries(answered).filter(([status]) => status !== keyed)) }
}

const pathItem = (value: unknown, path: string, scopes: Scopes): Json =>
  mapValues(value, (given, method) =>
    Predicate.hasProperty(given, "responses") ? secured(operation(children(given), method), scopes.get(`${method} ${path}`)) : given)

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

export const documented = (given: Record<string, unknown>, scopes: Scopes): Record<string, unknown> => {
  const document = renamed(given)
  return {
    ...document,
    paths: mapValues(document["paths"], (item, path) => pathItem(item, path, scopes)),
    components: {
      ...children(document["components"]),
      // Spelled as tools look for it; a scheme's name has no case (RFC 9110, section 11.1).
      securitySchemes: { bearer: { type: "http", scheme: "bearer", bearerFormat: "JWT or API token" } },
      schemas: mapValues(children(document["components"])["schemas"], errorBody)
    }
  }
}

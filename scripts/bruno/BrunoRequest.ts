/** One operation of the OpenAPI document as a request of Bruno. Ids and tokens are variables, which answers fill. */
import { children, type Json, mapValues } from "@englog/rpc/http/JsonTree"
import { jsonToBruV2 } from "@usebruno/lang"
import { Predicate } from "effect"

export interface Operation {
  readonly method: string
  /** As the document has it, with braces. */
  readonly path: string
  readonly value: Json
}

const list = (value: unknown): ReadonlyArray<Json> => Array.isArray(value) ? value.map(children) : []

const text = (value: unknown): string => Predicate.isString(value) ? value : value === undefined || value === null ? "" : JSON.stringify(value)

/** Bruno knows parameters that are a whole part of the path; others are variables in it. */
const wholePart = /\{(\w+)\}(?=\/|$)/g

const variable = (name: string): string => `{{${name}}}`

/** What a collection's things are called, where that is not its path. */
const called = new Map([["logs", "entry"], ["deliveries", "delivery"]])

/** `id` of `/v1/dead-letters/{id}` is `dead_letter_id`; other parameters are what they are called. */
const variableOf = (path: string, name: string): string => {
  const collection = /([^/]+)\/\{id\}/.exec(path)?.[1] ?? ""
  return name === "id" ? `${called.get(collection) ?? collection.replace(/s$/, "").replaceAll("-", "_")}_id` : name
}

const exampleOf = (schema: Json): string => {
  const whole = Object.assign({}, ...list(schema["allOf"]), schema)
  const [example] = Array.isArray(whole.examples) ? whole.examples : []
  const [member] = Array.isArray(whole.enum) ? whole.enum : []
  return text(example ?? whole.default ?? member)
}

const param = (path: string, { in: place, name, required, schema }: Json) => ({
  name: text(name),
  type: place,
  enabled: place === "path" || required === true,
  value: place === "path" ? variable(variableOf(path, text(name))) : exampleOf(children(schema))
})

const header = ({ name, schema }: Json) => ({
  name: text(name),
  enabled: false,
  value: name === "idempotency-key" ? variable("$guid") : exampleOf(children(schema))
})

/** What the example has of a person and their things is that of whoever sends it. */
const filled = (value: unknown, key: string): unknown => {
  if (key === "entry_ids") return [variable("entry_id")]
  if (Predicate.isString(value) && (key.endsWith("_id") || ["email", "password", "current_password", "refresh_token"].includes(key))) {
    return variable(key === "current_password" ? "password" : key)
  }
  if (Array.isArray(value)) return value.map((item) => filled(item, ""))
  return Predicate.isObject(value) ? mapValues(value, filled) : value
}

const capture = (name: string, from: string): string => `  bru.setVar("${name}", res.body.${from});`

/** A token is kept by whoever logs in, an id by whoever makes a thing. */
const captures = ({ method, path, value }: Operation): ReadonlyArray<string> => {
  const properties = list(Object.entries(children(value["responses"])).filter(([status]) => status.startsWith("2")).map(([, response]) =>
    children(children(children(children(response)["content"])["application/json"])["example"])))
  const has = (name: string) => properties.some((example) => name in example)
  return [
    ...(has("access_token") ? [capture("access_token", "access_token"), capture("refresh_token", "refresh_token")] : []),
    ...(has("user") ? [capture("user_id", "user.id")] : []),
    ...(path === "/v1/auth/me" ? [capture("user_id", "id"), capture("organization_id", "organization_id")] : []),
    ...(has("upload_id") ? [capture("upload_id", "upload_id")] : []),
    ...(method === "post" && has("task_id") ? [capture("task_id", "task_id")] : []),
    ...(method === "post" && has("id") && !path.includes("{") ? [capture(variableOf(`${path.replace(/\/start$/, "")}/{id}`, "id"), "id")] : [])
  ]
}

export const brunoRequest = (operation: Operation, seq: number): string => {
  const { method, path, value } = operation
  const parameters = list(value["parameters"])
  const contents = children(children(value["requestBody"])["content"])
  const content = children(contents["application/json"])
  const body = "example" in content ? JSON.stringify(filled(content["example"], ""), undefined, 2) : undefined
  const [other] = body === undefined ? Object.values(contents) : []
  const plain = other === undefined ? undefined : text(children(other)["example"])
  const scope = value["x-required-scope"]
  const captured = captures(operation)
  return jsonToBruV2({
    meta: { name: text(value["summary"]), type: "http", seq },
    http: {
      method,
      url: `${variable("base_url")}${path.replaceAll(wholePart, ":$1").replaceAll(/\{(\w+)\}/g, "{{$1}}")}`,
      body: body !== undefined ? "json" : plain !== undefined ? "text" : "none",
      auth: list(value["security"]).length > 0 ? "inherit" : "none"
    },
    params: parameters.filter((one) => one["in"] === "query" || path.replaceAll(wholePart, ":$1").includes(`:${text(one["name"])}`)).map((one) => param(path, one)),
    headers: parameters.filter((one) => one["in"] === "header").map(header),
    ...(body === undefined ? {} : { body: { json: body } }),
    ...(plain === undefined ? {} : { body: { text: plain } }),
    ...(captured.length === 0 ? {} : { script: { res: ["if (res.status < 300) {", ...captured, "}"].join("\n") } }),
    docs: [text(value["description"]), ...(scope === undefined ? [] : [`Scope of an API token: ${text(scope)}`])].join("\n\n")
  })
}

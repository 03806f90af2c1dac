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
const called = new Map([["logs", "entry"]])

/** `id` of `/v1/dead-letters/{id}` is `dead_letter_id`, `name` of `/v1/admin/jobs/{name}` is `job_name`; other parameters are what they are called. */
const variableOf = (path: string, name: string): string => {
  const collection = new RegExp(`([^/]+)/\\{${name}\\}`).exec(path)?.[1] ?? ""
  const thing = called.get(collection) ?? collection.replace(/ies$/, "y").replace(/s$/, "").replaceAll("-", "_")
  return name === "id" || name === "name" ? `${thing}_${name}` : name
}

/** Parameters of queries that are an id, by their names. */
const idVariable = (name: string): string | undefined => name === "endpoint_id" ? "webhook_id" : name.endsWith("_id") ? name : undefined

const exampleOf = (schema: Json): string => {
  const whole = Object.assign({}, ...list(schema["allOf"]), schema)
  const [example] = Array.isArray(whole.examples) ? whole.examples : []
  const [member] = Array.isArray(whole.enum) ? whole.enum : []
  return text(example ?? whole.default ?? member)
}

const param = (path: string, { in: place, name, required, schema }: Json) => {
  const filledBy = place === "path" ? variableOf(path, text(name)) : idVariable(text(name))
  return {
    name: text(name),
    type: place,
    enabled: place === "path" || required === true,
    value: filledBy === undefined ? exampleOf(children(schema)) : variable(filledBy)
  }
}

const header = ({ name, required, schema }: Json) => ({
  name: text(name),
  enabled: required === true,
  value: name === "idempotency-key" ? variable("$guid") : exampleOf(children(schema))
})

const credentials = new Map(["email", "password", "refresh_token"].map((name) => [name, name])).set("current_password", "password")

/** Ids of things that the body itself brings, to which it may refer. */
const broughtIds = (value: unknown): ReadonlyArray<unknown> => [
  ...Predicate.hasProperty(value, "id") ? [value.id] : [],
  ...Object.values(children(value)).flatMap((child) => Array.isArray(child) ? child.flatMap(broughtIds) : broughtIds(child))
]

/** What the example has of a person and their things is that of whoever sends it; a document's id is chosen by whoever hands it in. */
const filled = (example: unknown): unknown => {
  const brought = new Set(broughtIds(example))
  const fill = (value: unknown, key: string): unknown => {
    if (key === "entry_ids") return [variable("entry_id")]
    if (Predicate.isString(value) && !brought.has(value) && key !== "document_id") {
      const name = credentials.get(key) ?? idVariable(key)
      if (name !== undefined) return variable(name)
    }
    if (Array.isArray(value)) return value.map((item) => fill(item, ""))
    return Predicate.isObject(value) ? mapValues(value, fill) : value
  }
  return fill(example, "")
}

const capture = (name: string, from: string): string => `  bru.setVar("${name}", ${from});`

/** What an operation answers where all goes well. */
const answerOf = ({ value }: Operation): Json =>
  Object.assign({}, ...Object.entries(children(value["responses"])).filter(([status]) => status.startsWith("2")).map(([, response]) =>
    children(children(children(children(response)["content"])["application/json"])["example"])))

/** The variables that an answer fills by making something: tokens are kept by whoever logs in, an id by whoever makes a thing. */
const madeBy = (operation: Operation): ReadonlyArray<readonly [variable: string, from: string]> => {
  const { method, path } = operation
  const answer = answerOf(operation)
  const collection = path.replace(/\/start$/, "")
  const makes = method === "post" && "id" in answer && !/\{|\/(accept|confirm|test)$/.test(path)
  return [
    ...("access_token" in answer ? [["access_token", "res.body.access_token"], ["refresh_token", "res.body.refresh_token"]] as const : []),
    ...("user" in answer ? [["user_id", "res.body.user.id"]] as const : []),
    ...(path === "/v1/auth/me" ? [["user_id", "res.body.id"], ["organization_id", "res.body.organization_id"]] as const : []),
    ...("upload_id" in answer ? [["upload_id", "res.body.upload_id"]] as const : []),
    ...(method === "post" && "task_id" in answer ? [["task_id", "res.body.task_id"]] as const : []),
    ...(makes ? [[variableOf(`${collection}/{id}`, "id"), "res.body.id"]] as const : []),
    ...(makes && path.endsWith("/feeds") ? [["secret", "res.body.url.replace(/^.*\\/|\\.ics$/g, \"\")"]] as const : [])
  ]
}

/** What lies right under a list and is not made by any request: its first item is taken. */
const listedBy = (list: Operation, operations: ReadonlyArray<Operation>): ReadonlyArray<readonly [variable: string, from: string]> => {
  const { items } = answerOf(list)
  if (list.method !== "get" || !Array.isArray(items)) return []
  const made = new Set(operations.flatMap(madeBy).map(([name]) => name))
  const parameters = operations.flatMap(({ path }) =>
    path.startsWith(`${list.path}/{`) ? [...path.slice(list.path.length + 1).split("/", 1)].map((part) => part.slice(1, -1)) : [])
  /** What a dead letter is called by is the id of its task. */
  const fieldOf = (name: string) => [name, "id", "task_id"].find((field) => field in children(items[0])) ?? name
  return [...new Set(parameters)].map((name) => [variableOf(`${list.path}/{${name}}`, name), fieldOf(name)] as const)
    .filter(([name]) => !made.has(name))
    .map(([name, field]) => [name, `res.body.items[0].${field}`])
}

const script = (operation: Operation, operations: ReadonlyArray<Operation>): string => {
  const [made, listed] = [madeBy(operation), listedBy(operation, operations)]
  return [
    ...(made.length === 0 ? [] : ["if (res.status < 300) {", ...made.map(([name, from]) => capture(name, from)), "}"]),
    ...(listed.length === 0 ? [] : ["if (res.status < 300 && res.body.items.length > 0) {", ...listed.map(([name, from]) => capture(name, from)), "}"])
  ].join("\n")
}

/** `operations`: all of the collection. */
export const brunoRequest = (operation: Operation, seq: number, operations: ReadonlyArray<Operation>): string => {
  const { method, path, value } = operation
  const parameters = list(value["parameters"])
  const contents = children(children(value["requestBody"])["content"])
  const content = children(contents["application/json"])
  const body = "example" in content ? JSON.stringify(filled(content["example"]), undefined, 2) : undefined
  const [other] = body === undefined ? Object.values(contents) : []
  const plain = other === undefined ? undefined : text(children(other)["example"])
  // What is no text for Bruno has to be named.
  const types = plain === undefined || "text/plain" in contents ? [] : Object.keys(contents).slice(0, 1)
  const scope = value["x-required-scope"]
  const after = script(operation, operations)
  return jsonToBruV2({
    meta: { name: text(value["summary"]), type: "http", seq },
    http: {
      method,
      url: `${variable("base_url")}${path.replaceAll(wholePart, ":$1").replaceAll(/\{(\w+)\}/g, "{{$1}}")}`,
      body: body !== undefined ? "json" : plain !== undefined ? "text" : "none",
      auth: list(value["security"]).length > 0 ? "inherit" : "none"
    },
    params: parameters.filter((one) => one["in"] === "query" || path.replaceAll(wholePart, ":$1").includes(`:${text(one["name"])}`)).map((one) => param(path, one)),
    headers: [
      ...types.map((type) => ({ name: "content-type", enabled: true, value: type })),
      ...parameters.filter((one) => one["in"] === "header").map(header)
    ],
    ...(body === undefined ? {} : { body: { json: body } }),
    ...(plain === undefined ? {} : { body: { text: plain } }),
    ...(after === "" ? {} : { script: { res: after } }),
    docs: [text(value["description"]), ...(scope === undefined ? [] : [`Scope of an API token: ${text(scope)}`])].join("\n\n")
  })
}

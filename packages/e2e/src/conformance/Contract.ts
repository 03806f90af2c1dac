/** A server's OpenAPI document as a contract: its operations, and in what an answer falls short of what is said of it. */
import { children, type Json } from "@englog/rpc/http/JsonTree"
import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js"
import formats from "ajv-formats"
import { HttpMethod } from "effect/http"
import type { Answer } from "../Person.ts"

export interface Operation {
  /** `entries.create` */
  readonly id: string
  readonly method: HttpMethod.HttpMethod
  /** As the document has it, with braces. */
  readonly path: string
  /** Of the token that it asks for; null where it asks for none. */
  readonly scope: string | null
  /** It changes nothing. */
  readonly reads: boolean
  /** It answers events, and may never end. */
  readonly streams: boolean
  /** Its example answers a list with items. */
  readonly lists: boolean
  /** Parameters of its path that are a UUID each. */
  readonly ids: ReadonlyArray<string>
  /** For fields of the body's example a value each that its schema does not allow there. */
  readonly misfits: ReadonlyArray<Misfit>
}

export interface Misfit {
  readonly field: string
  readonly value: unknown
}

export interface Contract {
  readonly operations: ReadonlyArray<Operation>
  /** Empty where an answer is all that its operation documents. */
  readonly faults: (operation: Operation, answer: Answer) => ReadonlyArray<string>
}

export const contractOf = (document: unknown): Contract => {
  const validator = validatorsOf(document)
  const valueOf = ({ method, path }: Operation): Json => at(document, "paths", path, method.toLowerCase())
  return {
    operations: Object.entries(at(document, "paths")).flatMap(([path, item]) =>
      Object.entries(children(item)).map(([method, value]) => operationOf(path, methodOf(method), children(value), validator))),
    faults: (operation, answer) => {
      const { status, text } = answer
      const response = at(valueOf(operation), "responses")[status]
      if (response === undefined) return ["the status is not documented"]
      const missing = Object.entries(at(response, "headers"))
        .filter(([name, header]) => at(header)["required"] === true && answer.headers[name] === undefined)
        .map(([name]) => `the header ${name} is missing`)
      const types = Object.keys(at(response, "content"))
      const [type = ""] = (answer.headers["content-type"] ?? "").split(";")
      if (types.length === 0) return text === "" ? missing : [...missing, "a body where none is documented"]
      if (!types.includes(type)) return [...missing, `content-type ${type} instead of ${types.join(", ")}`]
      if (type !== "application/json") return missing
      const validate = validator("paths", operation.path, operation.method.toLowerCase(), "responses", String(status), "content", type, "schema")
      return validate(JSON.parse(text)) ? missing : [...missing, ...problemsOf(validate)]
    }
  }
}

/** By where a schema stands in the document; each is compiled once. */
type Validators = (...place: ReadonlyArray<string>) => ValidateFunction

const validatorsOf = (document: unknown): Validators => {
  const ajv = new Ajv2020({ strict: false, allErrors: true })
  formats.default(ajv)
  // What JSON Schema does not define; their patterns are checked all the same.
  for (const format of ["timezone", "markdown", "binary"]) ajv.addFormat(format, true)
  ajv.addSchema(children(document), "openapi.json")
  const compiled = new Map<string, ValidateFunction>()
  return (...place) => {
    const pointer = place.map((key) => encodeURIComponent(key.replaceAll("~", "~0").replaceAll("/", "~1"))).join("/")
    const validate = compiled.get(pointer) ?? ajv.compile({ $ref: `openapi.json#/${pointer}` })
    compiled.set(pointer, validate)
    return validate
  }
}

const problemsOf = ({ errors }: ValidateFunction): ReadonlyArray<string> =>
  (errors ?? []).map(({ instancePath, message, params }) => `${instancePath === "" ? "the body" : instancePath} ${message ?? "is wrong"} ${JSON.stringify(params)}`)

const operationOf = (path: string, method: HttpMethod.HttpMethod, value: Json, validator: Validators): Operation => {
  const scope = Array.isArray(value["security"]) && value["security"].length > 0 ? String(value["x-required-scope"]) : null
  const answers = Object.entries(at(value, "responses")).filter(([status]) => status.startsWith("2")).map(([, response]) => at(response, "content"))
  const { items } = at(answers[0], "application/json", "example")
  const body = at(value, "requestBody", "content", "application/json")
  return {
    id: String(value["operationId"]),
    method,
    path,
    scope,
    reads: method === "GET" || scope === "read",
    streams: answers.some((content) => "text/event-stream" in content),
    lists: Array.isArray(items) && items.length > 0,
    ids: parametersOf(value).filter(({ in: place, schema }) => place === "path" && at(schema)["format"] === "uuid").map(({ name }) => String(name)),
    misfits: "schema" in body
      ? misfitsOf(at(body, "example"), validator("paths", path, method.toLowerCase(), "requestBody", "content", "application/json", "schema"))
      : []
  }
}

/** None for a field that may be any JSON. */
const misfitsOf = (example: Json, validate: ValidateFunction): ReadonlyArray<Misfit> =>
  Object.keys(example).flatMap((field) =>
    [{ wrong: true }, 1.5, "", [], true, null].filter((value) => !validate({ ...example, [field]: value })).slice(0, 1).map((value) => ({ field, value })))

const at = (value: unknown, ...place: ReadonlyArray<string>): Json => place.reduce((found, key) => children(found[key]), children(value))

const parametersOf = ({ parameters }: Json): ReadonlyArray<Json> => Array.isArray(parameters) ? parameters.map(children) : []

const methodOf = (name: string): HttpMethod.HttpMethod => {
  const method = name.toUpperCase()
  return HttpMethod.isHttpMethod(method) ? method : "GET"
}

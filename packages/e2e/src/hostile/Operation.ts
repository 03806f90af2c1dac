/**
 * The operations of an API, as its own OpenAPI document tells them: nothing about any endpoint is known beforehand.
 */
import { Predicate } from "effect"

export type Json = unknown

export interface Parameter {
  readonly name: string
  readonly in: "path" | "query" | "header"
  readonly required: boolean
  /** Undefined where the document has none. */
  readonly example: Json
  readonly shape: Shape
}

export interface Operation {
  /** In capitals. */
  readonly method: string
  /** With its parameters in braces, as the document has it. */
  readonly path: string
  /** All methods of the path. */
  readonly methods: ReadonlyArray<string>
  readonly parameters: ReadonlyArray<Parameter>
  readonly body: Shape | undefined
  /** Of a body that is no JSON: the first type that it may have. */
  readonly media: string | undefined
  readonly example: Json
  readonly secured: boolean
}

/** A JSON Schema with its references followed and its conjunctions merged. */
export interface Shape {
  /** Empty where any type will do. */
  readonly types: ReadonlyArray<string>
  readonly enum: ReadonlyArray<Json> | undefined
  readonly pattern: string | undefined
  readonly format: string | undefined
  readonly minLength: number | undefined
  readonly maxLength: number | undefined
  readonly minItems: number | undefined
  readonly maxItems: number | undefined
  readonly items: Shape | undefined
  readonly fields: ReadonlyMap<string, Shape>
  readonly required: ReadonlyArray<string>
  readonly closed: boolean
}

export const nameOf = ({ method, path }: Pick<Operation, "method" | "path">): string => `${method} ${path}`

export const operationsOf = (document: Json): ReadonlyArray<Operation> =>
  entries(at(document, "paths")).flatMap(([path, item]) => {
    const methods = entries(item).map(([method]) => method.toUpperCase())
    return entries(item).map(([method, operation]) => {
      const contents = at(operation, "requestBody", "content")
      const content = at(contents, "application/json")
      const [other] = content === undefined ? entries(contents) : []
      return {
        method: method.toUpperCase(),
        path,
        methods,
        parameters: list(at(operation, "parameters")).flatMap((parameter) => parameterOf(parameter, document)),
        body: content === undefined ? undefined : shapeOf(at(content, "schema"), document),
        media: other?.[0],
        example: at(content ?? other?.[1], "example"),
        secured: list(at(operation, "security")).length > 0
      }
    })
  })

const parameterOf = (value: Json, document: Json): ReadonlyArray<Parameter> => {
  const place = at(value, "in")
  return place === "path" || place === "query" || place === "header"
    ? [{ name: String(at(value, "name")), in: place, required: at(value, "required") === true, example: exampleOf(at(value, "schema"), document), shape: shapeOf(at(value, "schema"), document) }]
    : []
}

const exampleOf = (schema: Json, document: Json): Json => partsOf(schema, document).map((part) => at(part, "examples", 0)).find((value) => value !== undefined)

const shapeOf = (schema: Json, document: Json, depth = 0): Shape => {
  const parts = partsOf(schema, document)
  const one = (key: string): Json => parts.map((part) => at(part, key)).find((value) => value !== undefined)
  const number = (key: string) => Number(one(key) ?? Number.NaN)
  const limit = (key: string) => Number.isNaN(number(key)) ? undefined : number(key)
  const text = (key: string) => one(key) === undefined ? undefined : String(one(key))
  const alternatives = list(one("anyOf")).map((member) => shapeOf(member, document, depth + 1))
  // Of several, the one with most to say: null says nothing.
  const main = alternatives.find(({ types }) => !types.includes("null"))
  const given = list(one("type") === undefined ? [] : Array.isArray(one("type")) ? one("type") : [one("type")]).map(String)
  const inner = depth < 6
  return {
    types: alternatives.length === 0 ? given : alternatives.every(({ types }) => types.length > 0) ? alternatives.flatMap(({ types }) => types) : [],
    enum: one("const") !== undefined ? [one("const")] : one("enum") === undefined ? main?.enum : list(one("enum")),
    pattern: text("pattern") ?? main?.pattern,
    format: text("format") ?? main?.format,
    minLength: limit("minLength") ?? main?.minLength,
    maxLength: limit("maxLength") ?? main?.maxLength,
    minItems: limit("minItems") ?? main?.minItems,
    maxItems: limit("maxItems") ?? main?.maxItems,
    items: inner && one("items") !== undefined ? shapeOf(one("items"), document, depth + 1) : main?.items,
    fields: inner ? new Map(entries(one("properties")).map(([name, field]) => [name, shapeOf(field, document, depth + 1)])) : new Map(),
    required: list(one("required")).map(String),
    closed: one("additionalProperties") === false
  }
}

/** A schema, what it refers to, and all that must hold besides. */
const partsOf = (schema: Json, document: Json): ReadonlyArray<Json> => {
  const reference = at(schema, "$ref")
  const referred = typeof reference === "string" ? [at(document, ...reference.replace(/^#\//, "").split("/"))] : []
  return [schema, ...[...referred, ...list(at(schema, "allOf"))].flatMap((part) => partsOf(part, document))]
}

export const at = (value: Json, ...path: ReadonlyArray<string | number>): Json =>
  path.reduce<Json>((inner, key) => Predicate.hasProperty(inner, key) ? inner[key] : undefined, value)

export const entries = (value: Json): ReadonlyArray<readonly [string, Json]> => Predicate.isObject(value) ? Object.entries(value) : []

export const list = (value: Json): ReadonlyArray<Json> => Array.isArray(value) ? value : []

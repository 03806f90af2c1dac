import { assert, describe, it } from "@effect/vitest"
import { Effect, Predicate, Schema } from "effect"
import { HttpApi, OpenApi } from "effect/http-api"
import { EngLogApi } from "../../src/http/Api.ts"
import { children, type Json } from "../../src/http/JsonTree.ts"
import { TagList } from "../../src/http/TagList.ts"
import { TagName } from "../../src/http/TagsApi.ts"

/** A schema as JSON Schema, and what its references lead to. */
interface Side {
  readonly schema: unknown
  readonly definitions: Json
}

const LIMITS = [
  "minItems", "maxItems", "uniqueItems", "minLength", "maxLength", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "pattern", "format"
]
const DEEPEST = 12

const items = (value: unknown): ReadonlyArray<unknown> => Array.isArray(value) ? value : []

const resolved = ({ definitions, schema }: Side): Json => {
  const reference = children(schema)["$ref"]
  const found = Predicate.isString(reference) ? resolved({ definitions, schema: definitions[reference.split("/").at(-1) ?? ""] }) : children(schema)
  return Object.assign({}, found, ...items(found["allOf"]))
}
const variants = (schema: Json): ReadonlyArray<unknown> => items(schema["anyOf"] ?? schema["oneOf"])

/** The parts of both, place by place. */
const parts = (given: Json, meant: Json): ReadonlyArray<readonly [place: string, given: unknown, meant: unknown]> => [
  ...Object.entries(children(meant["properties"])).map(([name, property]) => [`.${name}`, children(given["properties"])[name], property] as const),
  ...variants(given).length === variants(meant).length
    ? variants(meant).map((variant, index) => ["", variants(given)[index], variant] as const)
    : [],
  ...meant["items"] === undefined ? [] : [["[]", given["items"], meant["items"]] as const],
  ...Predicate.isObject(meant["additionalProperties"]) ? [["{}", given["additionalProperties"], meant["additionalProperties"]] as const] : []
]

/** Limits that hold once a request is decoded, where the document shows the same kind of value without them. */
const hidden = (place: string, shown: Side, decoded: Side, depth = 0): ReadonlyArray<string> => {
  const [given, meant] = [resolved(shown), resolved(decoded)]
  if (depth > DEEPEST || Object.keys(given).length === 0) return []
  // A number in a query is shown as the text that it is, whose pattern says the rest.
  const own = given["type"] !== meant["type"]
    ? []
    : LIMITS.filter((limit) => meant[limit] !== undefined && given[limit] === undefined).map((limit) => `${place}: ${limit} ${JSON.stringify(meant[limit])}`)
  return [...own, ...parts(given, meant).flatMap(([name, left, right]) =>
    hidden(`${place}${name}`, { ...shown, schema: left }, { ...decoded, schema: right }, depth + 1))]
}

const sideOf = (schema: Schema.Top): Side => {
  const document = Schema.toJsonSchemaDocument(schema)
  return { schema: document.schema, definitions: children(document.definitions) }
}
const hiddenIn = (place: string, schema: Schema.Top) => hidden(place, sideOf(schema), sideOf(Schema.toType(schema)))

const requests: Array<readonly [place: string, schema: Schema.Top]> = []
HttpApi.reflect(EngLogApi, {
  onGroup: () => {},
  onEndpoint: ({ endpoint: { headers, method, params, path, payload, query } }) => {
    const bodies = [...payload.values()].flatMap(({ schemas }) => schemas)
    for (const schema of [params, query, headers, ...bodies]) if (schema !== undefined) requests.push([`${method} ${path}`, schema])
  }
})

const document: Json = children(JSON.parse(JSON.stringify(OpenApi.fromApi(EngLogApi))))

/** Lists of a body whose length nothing bounds; each named schema once. */
const unbounded = (place: string, schema: unknown, seen: Set<string>): ReadonlyArray<string> => {
  const reference = children(schema)["$ref"]
  if (Predicate.isString(reference)) {
    const name = reference.split("/").at(-1) ?? ""
    if (seen.has(name)) return []
    seen.add(name)
    return unbounded(name, children(children(document["components"])["schemas"])[name], seen)
  }
  const one = children(schema)
  return [
    ...one["type"] === "array" && one["maxItems"] === undefined ? [place] : [],
    ...parts(one, one).flatMap(([name, part]) => children(part)["readOnly"] === true ? [] : unbounded(`${place}${name}`, part, seen))
  ]
}

describe("the limits of requests", () => {
  it("stand in the document, whatever a field is transformed into", () => {
    assert.isAbove(requests.length, 150)
    assert.deepStrictEqual([...new Set(requests.flatMap(([place, schema]) => hiddenIn(place, schema)))], [])
  })

  it("would be missed where a list is checked only after its items were transformed", () => {
    const bodyWith = <S extends Schema.Codec<ReadonlyArray<string>, ReadonlyArray<string>>>(tags: S) =>
      Schema.Struct({ tags: tags.pipe(Schema.withDecodingDefaultKey(Effect.succeed([]))) }).annotate({ identifier: "Tagged" })
    const few = Schema.makeFilter<ReadonlyArray<string>>((tags) => tags.length <= 50, { toJsonSchema: () => [{ maxItems: 50 }, true] })
    assert.deepStrictEqual(hiddenIn("body", bodyWith(Schema.Array(TagName).check(few))), ["body.tags: maxItems 50"])
    assert.deepStrictEqual(hiddenIn("body", bodyWith(TagList)), [])
  })

  it("bound every list of a body", () => {
    const seen = new Set<string>()
    // An account comes back as a whole: its bytes are bounded, and how many entries somebody has is not.
    const byItsBytes = "post /v1/import/account"
    const bodies = Object.entries(children(document["paths"])).flatMap(([path, item]) =>
      Object.entries(children(item)).flatMap(([method, operation]) =>
        Object.values(children(children(children(operation)["requestBody"])["content"])).map((media) => [`${method} ${path}`, children(media)["schema"]] as const)))
    assert.isAbove(bodies.length, 50)
    assert.include(bodies.map(([place]) => place), byItsBytes)
    assert.deepStrictEqual(bodies.flatMap(([place, schema]) => place === byItsBytes ? [] : unbounded(place, schema, seen)), [])
  })
})

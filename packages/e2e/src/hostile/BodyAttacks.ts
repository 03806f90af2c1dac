/** Bodies that are no JSON, not the JSON of the schema, or JSON that no one should have to read. */
import * as fc from "fast-check"
import { type Attacks, type Change, twins } from "./Attack.ts"
import type { Baseline } from "./Baseline.ts"
import { ofWrongType, outOfBounds, unstorable, uuids } from "./HostileValues.ts"
import { entries, type Json, nameOf, type Shape } from "./Operation.ts"

const MEBIBYTE = 1024 * 1024

/** Operations that read larger bodies than the others. */
const LARGER: ReadonlyMap<string, number> = new Map([["POST /v1/import/account", 64 * MEBIBYTE]])

type Body = Readonly<Record<string, Json>>

export const bodyAttacks = ({ operation }: Baseline, body: Body): Attacks => [
  ...syntaxAttacks(body),
  ...encodingAttacks(body),
  ...mediaAttacks,
  ...sizeAttacks(LARGER.get(nameOf(operation)) ?? MEBIBYTE),
  ...fieldAttacks(body, operation.body),
  ...(operation.body === undefined ? [] : schemaAttacks(body, operation.body))
]

/** On bodies that are no JSON: what they hold, no request can be wrong in. */
export const rawAttacks: Attacks = [
  ["another content type", fc.constantFrom("application/json", "application/xml", "multipart/mixed; boundary=x", "text/*", "*/*", "text", "", "text/plain, text/html").map((type) => ({
    headers: [["content-type", type]] as const, status: 415, names: "content-type"
  }))],
  ["another charset", fc.constantFrom("utf-16", "latin1", "\"\"", "x".repeat(2_000)).map((charset) => ({
    headers: [["content-type", `text/plain; charset=${charset}`]] as const, status: 415, names: "content-type"
  }))],
  ["no content type", fc.constant({ without: ["content-type"], status: 415, names: "content-type" })],
  ["no body", fc.constant({ status: 400, names: "body", body: Buffer.alloc(0) })]
]

const raw = (text: string, change: Change = {}): Change => ({ status: 400, ...change, body: Buffer.from(text) })
const json = (value: Json, names?: string): Change => raw(JSON.stringify(value), names === undefined ? {} : { names })

const syntaxAttacks = (body: Body): Attacks => {
  const text = JSON.stringify(body)
  return [
    ["no body", fc.constantFrom(raw("", { names: "body" }), raw(" \n\t", { names: "body" }))],
    ["a body that ends too early", fc.integer({ min: 1, max: text.length - 1 }).map((length) => raw(text.slice(0, length), { names: "body" }))],
    ["a body that goes on", fc.constantFrom("}", "x", text, ",", "\u0000", "null").map((more) => raw(`${text}${more}`, { names: "body" }))],
    ["a body that is no JSON", fc.oneof(fc.constantFrom("{'a':1}", "{a:1}", "<a/>", "a=1&b=2", "NaN", "[1,]", "{\"a\":1,}", "/**/{}", "undefined"), fc.string({ unit: "grapheme", minLength: 1 }).map((some) => `{${some}`)).map((some) => raw(some))],
    ["a body that is no object", fc.constantFrom<Json>(null, true, 0, "text", [], [body], 1.5).map((value) => json(value, "body"))],
    ["a body of nothing but brackets", fc.tuple(fc.constantFrom("[", "{\"a\":", "[{\"a\":"), fc.integer({ min: 10_000, max: 80_000 })).map(([open, depth]) => raw(open.repeat(depth)))]
  ]
}

const encodingAttacks = (body: Body): Attacks => {
  const text = JSON.stringify(body)
  const utf16 = Buffer.from(text, "utf16le")
  return [
    ["bytes that are no UTF-8", fc.constantFrom([0xff], [0xc3, 0x28], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0xc0, 0x80], [0xe2, 0x82]).map((bytes) => ({
      status: 400, names: "UTF-8", body: Buffer.concat([Buffer.from(`${text.slice(0, -1)},"x":"`), Buffer.from(bytes), Buffer.from("\"}")])
    }))],
    ["another Unicode encoding", fc.constantFrom(utf16, Buffer.concat([Buffer.from([0xff, 0xfe]), utf16]), Buffer.from(utf16).swap16(), Buffer.from(`\uFEFF${text}`)).map((bytes) => ({
      status: 400, names: "body", body: bytes
    }))]
  ]
}

const mediaAttacks: Attacks = [
  ["another content type", fc.constantFrom("text/plain", "application/xml", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/jsonp", "text/json", "*/*", "json", "", "application/json, text/plain").map((type) => ({
    headers: [["content-type", type]] as const, status: 415, names: "content-type"
  }))],
  ["another charset", fc.constantFrom("utf-16", "latin1", "utf-7", "\"\"", "ascii", "x".repeat(2_000)).map((charset) => ({
    headers: [["content-type", `application/json; charset=${charset}`]] as const, status: 415, names: "content-type"
  }))],
  ["no content type", fc.constant({ without: ["content-type"], status: 415, names: "content-type" })]
]

const sizeAttacks = (limit: number): Attacks => [
  ["a body over the limit", fc.tuple(fc.constantFrom("x", "[", " ", "{\"a\":[1,"), fc.boolean(), fc.integer({ min: limit + 1, max: limit + 50_000 })).map(([unit, chunked, size]) => ({
    status: 413, chunked, body: Buffer.from(unit.repeat(Math.ceil(size / unit.length)))
  }))]
]

/** Of fields, whatever their schemas say. */
const fieldAttacks = (body: Body, shape: Shape | undefined): Attacks => {
  const names = Object.keys(body)
  // A field of any JSON may hold a long list.
  const typed = names.filter((name) => shape?.fields.get(name)?.types.length !== 0)
  const text = JSON.stringify(body).slice(0, -1)
  const deep = (depth: number) => fc.constantFrom(`${"[".repeat(depth)}${"]".repeat(depth)}`, `${"{\"a\":".repeat(depth)}1${"}".repeat(depth)}`)
  /** With the value as it is, which may be no JSON. */
  const within = (name: string, value: string) => {
    const others = entries(body).filter(([other]) => other !== name).map(([other, given]) => `${JSON.stringify(other)}:${JSON.stringify(given)},`)
    return `{${others.join("")}${JSON.stringify(name)}:${value}}`
  }
  return [
    ["an unknown field", fc.oneof(fc.constantFrom("constructor", "prototype", "toString", "hasOwnProperty", "then", "", "$where", "x".repeat(5_000)), fc.string({ unit: "grapheme", minLength: 1 })).filter((name) => !names.includes(name) && name.isWellFormed() && name !== "__proto__").map((name) =>
      raw(`${text},${JSON.stringify(name)}:1}`, { names: name.slice(0, 90) }))],
    ["__proto__", fc.constantFrom(`${text},"__proto__":{"is_admin":true}}`, `${text},"x":{"__proto__":null}}`, `${text},"__pro\\u0074o__":1}`).map((bad) => raw(bad, { names: "__proto__" }))],
    ["a field that is given twice", fc.constantFrom(...names).map((name) => raw(`${text},${JSON.stringify(name)}:${JSON.stringify(body[name])}}`, { names: `${name}: is given more than once` }))],
    ["deep nesting", fc.tuple(fc.constantFrom(...names, "x"), fc.integer({ min: 100, max: 80_000 }).chain(deep)).map(([name, value]) => raw(within(name, value), { names: name }))],
    ["text that cannot be stored", fc.tuple(fc.constantFrom(...names), unstorable, fc.constantFrom("\"?\"", "[\"?\"]", "{\"a\":\"?\"}", "{\"?\":1}")).map(([name, bad, shape]) => raw(within(name, shape.replace("?", `a${bad}b`)), { names: name }))],
    ["a number beyond all numbers", fc.tuple(fc.constantFrom(...names), fc.constantFrom("1e400", "-1e400", "9007199254740993", "-123456789012345678901234567890", "1".repeat(5_000), "0.1e99999")).map(([name, number]) => raw(within(name, number), { names: name }))],
    ["a number that is none", fc.tuple(fc.constantFrom(...names), fc.constantFrom("NaN", "Infinity", "-", "+1", "01", "1.", ".5", "0x10", "1e", "1_000")).map(([name, number]) => raw(within(name, number), { names: "body" }))],
    ["half a million problems", fc.tuple(fc.constantFrom(...typed), fc.constantFrom(9_999, 400_000)).map(([name, count]) => raw(within(name, `[${"1,".repeat(count)}1]`), { names: name }))]
  ]
}

const schemaAttacks = (body: Body, shape: Shape): Attacks => {
  const replaced = (name: string, value: Json): Change => json({ ...body, [name]: value }, name)
  return [
    ...shape.required.map((name) => [`without ${name}`, fc.constant(json(Object.fromEntries(entries(body).filter(([other]) => other !== name)), name))] as const),
    ...[...shape.fields].flatMap(([name, field]): Attacks => {
      const type = ofWrongType(field)
      // A list of operations is judged one by one: each of them has a status of its own.
      const bounds = outOfBounds(name === "operations" ? { ...field, items: undefined } : field)
      return [
        ...(type === undefined ? [] : [[`${name} of another type`, type.map((value) => replaced(name, value))] as const]),
        ...(bounds === undefined ? [] : [[`${name} out of bounds`, bounds.map((value) => replaced(name, value))] as const]),
        ...unknownIds(name, field, body)
      ]
    }),
    ...twins([...shape.fields.keys()]).flatMap(([start, end]): Attacks =>
      body[start] === undefined ? [] : [[`${end} before ${start}`, fc.constantFrom("1999-12-31", "1999-12-31T23:59:59Z", ...shape.fields.get(end)?.format === "date-time" ? [body[start]] : [])
        .filter((value) => String(value).includes("T") === (shape.fields.get(end)?.format === "date-time")).map((value) => replaced(end, value))]])
  ]
}

/** Ids that are well formed and belong to nothing, or to nobody who asks. */
const unknownIds = (name: string, { format, items }: Shape, body: Body): Attacks => {
  const change = (value: Json, names: string): Change => ({ body: Buffer.from(JSON.stringify({ ...body, [name]: value })), names })
  if (items?.format === "uuid") {
    return [[`${name} of nothing`, fc.integer({ min: 1, max: 50 }).map((count) => change(uuids(count), uuids(count).at(-1) ?? ""))]]
  }
  return format === "uuid" ? [[`${name} of nothing`, fc.uuid({ version: 4 }).map((id) => change(id, name))]] : []
}

/**
 * Every way to send a request wrong, for any operation of an OpenAPI document: derived from its parameters and schemas, so
 * that an endpoint that is new tomorrow is attacked tomorrow.
 */
import * as fc from "fast-check"
import { deflateSync, gzipSync } from "node:zlib"
import { type Attack, type Attacks, changed, twins } from "./Attack.ts"
import type { Baseline } from "./Baseline.ts"
import { bodyAttacks, rawAttacks } from "./BodyAttacks.ts"
import { wrongTexts } from "./HostileValues.ts"
import type { Parameter } from "./Operation.ts"
import { tokenAttacks } from "./TokenAttacks.ts"

/** All attacks on one operation. */
export const attacksOn = (baseline: Baseline): ReadonlyArray<Attack> => {
  const parts = [...addressAttacks(baseline), ...headerAttacks(baseline), ...(baseline.operation.secured ? tokenAttacks(baseline) : [])]
  return [...parts, ...(baseline.body === undefined ? [] : bodyAttacks(baseline, baseline.body)), ...(baseline.raw === undefined ? [] : rawAttacks)].map(([name, changes]) => ({
    name,
    requests: changes.map((change) => changed(baseline, name, change))
  }))
}

const methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "QUERY"]

const addressAttacks = ({ operation, target }: Baseline): Attacks => {
  const has = new Set([...operation.methods, ...(operation.methods.includes("GET") ? ["HEAD"] : []), "OPTIONS"])
  const query = operation.parameters.filter((parameter) => parameter.in === "query")
  return [
    ["a method it does not have", fc.constantFrom(...methods.filter((method) => !has.has(method))).map((method) => ({ method }))],
    ["a path beside it", fc.constantFrom("/x", "/..", "/%2e%2e", ";x", "%20", "/%2F", "/.git/config", "/v1/logs").map((end) => ({ target: `${target}${end}` }))],
    ["a path that is no percent-encoding", fc.constantFrom("%", "%z", "%zz", "%ff", "%c3%28", "%ed%a0%80", "%00", "%u0041").map((end) => ({ target: `${target}/${end}`, status: 400, names: "path" }))],
    ["a query that is no percent-encoding", fc.constantFrom("%", "%zz", "%ff", "%ed%a0%80", "%00").map((text) => ({ target: `${target}?limit=${text}`, status: 400, names: "limit" }))],
    ["an address too long", fc.integer({ min: 20_000, max: 60_000 }).map((length) => ({ target: `${target}?x=${"a".repeat(length)}`, without: ["authorization"] }))],
    ["an unknown query parameter", fc.constantFrom("unknown", "__proto__", "constructor", "toString", "limit[]", "Limit", "x".repeat(3_000)).map((name) => ({
      target: `${target}?${name}=1`, status: 400, names: name.slice(0, 100)
    }))],
    ...operation.parameters.filter((parameter) => parameter.in === "path").flatMap((parameter) => pathAttacks(operation.path, target, parameter)),
    ...query.flatMap((parameter) => queryAttacks(target, parameter)),
    ...rangeAttacks(target, query),
    ...operation.parameters.filter((parameter) => parameter.in === "header").flatMap(headerParameterAttacks)
  ]
}

/** Encoded, and never a dot segment. */
const segment = (text: string): string => encodeURIComponent(text).replaceAll(".", "%2E")

const pathAttacks = (path: string, target: string, { name, shape }: Parameter): Attacks => {
  const valid = target.split("/")
  const open = path.split("/").map((part, index) => part === `{${name}}` ? part : valid[index]).join("/")
  const [before = "", after = ""] = open.split(`{${name}}`)
  // Too short is another path, and too long has an attack of its own.
  const ofWrongShape = wrongTexts({ ...shape, minLength: undefined, maxLength: undefined })
  const sendable = ofWrongShape.map((texts) => texts.filter((text) => text !== "" && text.isWellFormed() && text.length < 500 && !text.includes("\u0000")))
  // Where any text may be an id, none is wrong.
  const wrong = sendable.length === 0 ? [] : [...sendable, fc.constant("~")]
  return [
    ...(wrong.length === 0 ? [] : [[`${name} that is no id`, fc.oneof(...wrong).map((text) => ({
      target: `${before}${segment(text)}${after}`, status: 400, names: name
    }))] as const]),
    [`${name} of nothing`, fc.uuid({ version: 4 }).map((id) => ({ target: `${before}${shape.format === "uuid" ? id : `insight_${id}`}${after}`, status: 404 }))],
    [`${name} too long`, fc.integer({ min: 600, max: 6_000 }).map((length) => ({ target: `${before}${"a".repeat(length)}${after}` }))]
  ]
}

const queryAttacks = (target: string, { name, shape }: Parameter): Attacks => {
  // An address has only so much room: what is too long is no longer than it must be.
  const sendable = wrongTexts({ ...shape, maxLength: undefined }).map((texts) =>
    texts.filter((text) => text.isWellFormed() && text.length < 1_000 && !text.includes("\u0000")))
  const wrong = [...sendable, ...(shape.maxLength === undefined ? [] : [fc.constant("a".repeat(shape.maxLength + 1))])]
  return [
    [`${name} given twice`, fc.constant({ target: `${target}?${name}=1&${name}=2`, status: 400, names: name })],
    ...(wrong.length === 0 ? [] : [[`${name} that is wrong`, fc.oneof(...wrong).map((text) => ({
      target: `${target}?${name}=${encodeURIComponent(text)}`, status: 400, names: name
    }))] as const])
  ]
}

const rangeAttacks = (target: string, query: ReadonlyArray<Parameter>): Attacks =>
  twins(query.map(({ name }) => name)).map(([start, end]) => [
    `${end} before ${start}`,
    fc.constant({ target: `${target}?${start}=2026-02-01&${end}=2026-01-31`, status: 400, names: end })
  ])

const headerParameterAttacks = ({ name, shape }: Parameter): Attacks => {
  const tooLong = shape.maxLength === undefined ? [] : [fc.constantFrom("a b", "x".repeat(shape.maxLength + 1))]
  // What has no length is a number, or a tag.
  const noNumber = tooLong.length > 0 ? [] : [fc.constantFrom("9999999999", "2147483648", "abc", "-1", "1.5", "1e400", "0x10", "99999999999999999999", "NaN", "1,2")]
  // Spaces around a value are none of it: what is wrong by them alone would be made for ever.
  const sendable = shape.enum === undefined ? (text: string) => text : (text: string) => text.replaceAll(/[^!-~]/g, "~")
  const ofWrongShape = tooLong.length > 0 ? [] : wrongTexts({ ...shape, maxLength: undefined }).map((texts) =>
    texts.map(sendable).filter((text) => /^[!-~]*$/.test(text)))
  const wrong = [...ofWrongShape, ...noNumber, ...tooLong]
  return [[`${name} that is wrong`, fc.oneof(...wrong).map((text) => ({ headers: [[name, text]] as const, status: 400, names: name }))]]
}

const headerAttacks = ({ body, operation }: Baseline): Attacks => {
  const text = Buffer.from(JSON.stringify(body ?? {}))
  return [
    ["two Authorization headers", fc.constant({ headers: [["authorization", "Bearer a"], ["authorization", "Bearer b"]] as const, status: 400, names: "authorization" })],
    ["a compressed body", fc.constantFrom(["gzip", gzipSync(text)] as const, ["deflate", deflateSync(text)] as const, ["br", text] as const, ["x", text] as const).map(([coding, bytes]) => ({
      headers: [["content-encoding", coding]] as const, ...(operation.method === "GET" ? {} : { body: bytes }), status: 415, names: "content-encoding"
    }))],
    ["headers too large", fc.integer({ min: 20_000, max: 60_000 }).map((length) => ({ headers: [["x-large", "a".repeat(length)]] as const, status: 431 }))]
  ]
}

/** Credentials that are none: absent, of another kind, forged, changed, expired, of another type. */
import * as fc from "fast-check"
import { createHmac } from "node:crypto"
import type { Attacks } from "./Attack.ts"
import type { Baseline } from "./Baseline.ts"

const encode = (json: unknown): string => Buffer.from(JSON.stringify(json)).toString("base64url")

/** HS256 by a key of one's own. */
export const signed = (header: unknown, claims: unknown, key: string): string => {
  const text = `${encode(header)}.${encode(claims)}`
  return `${text}.${createHmac("sha256", key).update(text).digest("base64url")}`
}

export const claimsOf = (token: string): Readonly<Record<string, unknown>> => JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString())

export const tokenAttacks = ({ refresh, token }: Baseline): Attacks => {
  const [head = "", payload = "", signature = ""] = token.split(".")
  const claims = claimsOf(token)
  const bearer = (credentials: fc.Arbitrary<string>) =>
    credentials.map((credential) => ({ headers: [["authorization", credential]] as const, status: 401, names: "authorization" }))
  return [
    ["no token", fc.constant({ without: ["authorization"], status: 401, names: "authorization" })],
    ["no bearer token", bearer(fc.constantFrom("Bearer", "Bearer  ", "Basic YTpi", "Digest x", token, `Token ${token}`, `Basic ${token}`))],
    ["a token that is none", bearer(fc.constantFrom("x", "..", "a.b.c", "null", "undefined", `${token}.`, `${token} `, `${token},${token}`).filter((text) => text.trim() !== token).map((text) => `Bearer ${text}`))],
    ["a token without a signature", bearer(fc.constantFrom("none", "None", "NONE", "nOnE", "").map((alg) => `Bearer ${encode({ alg, typ: "JWT" })}.${payload}.`))],
    ["a token of another algorithm", bearer(fc.constantFrom("HS384", "HS512", "RS256", "ES256", "HS256\u0000").map((alg) => `Bearer ${encode({ alg, typ: "JWT" })}.${payload}.${signature}`))],
    ["a token signed by another key", bearer(fc.string().map((key) => `Bearer ${signed({ alg: "HS256", typ: "JWT" }, claims, key)}`))],
    ["a token that was changed", bearer(fc.constantFrom({ ...claims, sub: "00000000-0000-4000-8000-000000000000" }, { ...claims, exp: 9_999_999_999 }, { ...claims, is_admin: true }).map((changed) =>
      `Bearer ${head}.${encode(changed)}.${signature}`))],
    ["a refresh token", bearer(fc.constant(`Bearer ${refresh}`))]
  ]
}

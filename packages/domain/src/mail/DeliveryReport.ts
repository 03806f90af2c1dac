/**
 * Delivery status notifications (RFC 3464), which mail servers send about messages that they had taken: a multipart/report (RFC 6522)
 * with one part for programs and one with the message, or its head, that they are about. The variants of RFC 6533 are read, too.
 * Of MIME (RFC 2045, 2046) as much is read as such reports use; whatever cannot be read is no report, never an error.
 */
import { Option, Result } from "effect"
import * as Base64 from "effect/encoding/Base64"

export interface RecipientReport {
  /** As the sender named it where that is told, else as the last server knew it. */
  readonly address: string | null
  readonly action: "failed" | "delayed" | "delivered" | "relayed" | "expanded"
  /** RFC 3463. */
  readonly status: string
  /** Of RFC 5321, where the diagnosis names one. */
  readonly smtp_code: number | null
  /** What the server said, or null. */
  readonly diagnostic: string | null
}

export interface DeliveryReport {
  /** The id in the address that it was sent to (VERP), left of the @ of each Message-ID that it names, and its envelope id (RFC 3461): the most certain first. */
  readonly about: ReadonlyArray<string>
  readonly recipients: readonly [RecipientReport, ...ReadonlyArray<RecipientReport>]
}

/** None where the message is no such report. */
export const parseDeliveryReport = (raw: string): Option.Option<DeliveryReport> => {
  const report = reportIn(partOf(raw.replaceAll(/\r\n?/g, "\n")), 0)
  return report === undefined ? Option.none() : readReport(report)
}

interface Part {
  readonly fields: Fields
  /** In lower case; text/plain where nothing is said. */
  readonly type: string
  readonly body: string
}

/** By their names in lower case, the first of each name. */
type Fields = ReadonlyMap<string, string>

interface Report {
  readonly fields: Fields
  readonly parts: ReadonlyArray<Part>
}

const STATUS = new Set(["message/delivery-status", "message/global-delivery-status"])
const ORIGINAL = new Set(["message/rfc822", "text/rfc822-headers", "message/global", "message/global-headers"])
/** A report that was forwarded lies within other messages. */
const MAX_DEPTH = 5
const MAX_PARTS = 50

const partOf = (text: string): Part => {
  const end = text.startsWith("\n") ? 0 : text.indexOf("\n\n")
  const fields = fieldsOf(end === -1 ? text : text.slice(0, end))
  const body = end === -1 ? "" : text.slice(end === 0 ? 1 : end + 2)
  const [type = ""] = (fields.get("content-type") ?? "text/plain").split(";", 1)
  return { fields, type: type.trim().toLowerCase(), body }
}

const fieldsOf = (head: string): Fields => {
  const fields = new Map<string, string>()
  for (const line of head.replaceAll(/\n[ \t]+/g, " ").split("\n")) {
    const [, name, value = ""] = /^([!-9;-~]+)[ \t]*:(.*)$/.exec(line) ?? []
    if (name !== undefined && !fields.has(name.toLowerCase())) fields.set(name.toLowerCase(), value.trim())
  }
  return fields
}

const reportIn = (part: Part, depth: number): Report | undefined => {
  if (depth > MAX_DEPTH) return undefined
  if (part.type === "message/rfc822" || part.type === "message/global") return reportIn(partOf(decoded(part)), depth + 1)
  if (!part.type.startsWith("multipart/")) return undefined
  const parts = partsOf(part)
  if (parts.some(({ type }) => STATUS.has(type))) return { fields: part.fields, parts }
  for (const inner of parts) {
    const found = reportIn(inner, depth + 1)
    if (found !== undefined) return found
  }
  return undefined
}

/** RFC 2046, 5.1.1: what comes before the first delimiter and after the last is for nobody. */
const partsOf = ({ body, fields }: Part): ReadonlyArray<Part> => {
  const boundary = parameter(fields.get("content-type") ?? "", "boundary")
  if (boundary === undefined || boundary === "") return []
  const parts: Array<string> = []
  let lines: Array<string> | undefined
  for (const line of body.split("\n")) {
    const delimiter = line.startsWith(`--${boundary}`) ? line.slice(boundary.length + 2).trimEnd() : undefined
    if (delimiter !== "" && delimiter !== "--") {
      lines?.push(line)
      continue
    }
    if (lines !== undefined) parts.push(lines.join("\n"))
    lines = []
    if (delimiter === "--" || parts.length === MAX_PARTS) {
      lines = undefined
      break
    }
  }
  // One that was cut off ends without a delimiter.
  if (lines !== undefined && lines.length > 0) parts.push(lines.join("\n"))
  return parts.map(partOf)
}

const parameter = (value: string, name: string): string | undefined => {
  for (const [, key = "", quoted, plain] of value.matchAll(/;\s*([\w*-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;]+))/g)) {
    if (key.toLowerCase() === name) return quoted?.replaceAll(/\\(.)/g, "$1") ?? plain
  }
  return undefined
}

const decoded = ({ body, fields }: Part): string => {
  const encoding = (fields.get("content-transfer-encoding") ?? "").toLowerCase()
  if (encoding === "base64") {
    return Result.getOrElse(Base64.decodeString(body.replaceAll(/\s/g, "")), () => "").replaceAll(/\r\n?/g, "\n")
  }
  return encoding === "quoted-printable" ? quotedPrintable(body) : body
}

/** RFC 2045, 6.7. */
const quotedPrintable = (text: string): string => {
  const bytes: Array<number> = []
  for (const [token] of text.replaceAll(/=[ \t]*\n/g, "").matchAll(/=[0-9A-Fa-f]{2}|[^]/gu)) {
    if (token.length === 3 && token.startsWith("=")) bytes.push(Number.parseInt(token.slice(1), 16))
    else bytes.push(...new TextEncoder().encode(token))
  }
  return new TextDecoder().decode(new Uint8Array(bytes))
}

const readReport = ({ fields, parts }: Report): Option.Option<DeliveryReport> => {
  const status = parts.find(({ type }) => STATUS.has(type))
  const [message = new Map<string, string>(), ...groups] = status === undefined ? [] : decoded(status).split(/\n(?:[ \t]*\n)+/).map((group) => fieldsOf(group.trim()))
  const [first, ...others] = groups.flatMap(recipientOf)
  if (first === undefined) return Option.none()
  const returned = parts.filter(({ type }) => ORIGINAL.has(type)).map((part) => fieldsOf(decoded(part).split("\n\n", 1)[0] ?? ""))
  const named = [...returned.map((head) => head.get("message-id")), fields.get("in-reply-to"), fields.get("references")]
  const about = named.flatMap((text) => [...(text ?? "").matchAll(/<([^<>@\s]+)@[^<>\s]+>/g)].map(([, id = ""]) => id))
  const envelope = message.get("original-envelope-id")
  return Option.some({ about: [...new Set([...returnedTo(fields), ...about, ...envelope === undefined ? [] : [envelope]])], recipients: [first, ...others] })
}

/** Where mail servers write the address to which a report went: most of them add one as they deliver it, and its writer names it in To. */
const ADDRESSED = ["x-original-to", "delivered-to", "envelope-to", "to"]

/** Ids left of the @: of the messages for which such an address was the sender of the envelope. */
const returnedTo = (fields: Fields): ReadonlyArray<string> =>
  ADDRESSED.flatMap((name) => [...(fields.get(name) ?? "").toLowerCase().matchAll(UUID_IN_ADDRESS)]).map(([, id = ""]) => id)

const UUID_IN_ADDRESS = /(?<![\da-f])([\da-f]{8}-(?:[\da-f]{4}-){3}[\da-f]{12})[\w.+=-]{0,64}@/g

const actions = ["failed", "delayed", "delivered", "relayed", "expanded"] as const

/** One without action or status says nothing. */
const recipientOf = (fields: Fields): ReadonlyArray<RecipientReport> => {
  const [word = ""] = (fields.get("action") ?? "").toLowerCase().split(/[\s(]/, 1)
  const action = actions.find((one) => one === word)
  const status = /^\s*([245]\.\d{1,3}\.\d{1,3})(?!\d)/.exec(fields.get("status") ?? "")?.[1]
  if (action === undefined || status === undefined) return []
  const diagnostic = typed(fields.get("diagnostic-code"))
  const code = /^(\d{3})(?!\d)/.exec(diagnostic ?? "")?.[1]
  const smtp_code = code !== undefined && /^[2-5]/.test(code) ? Number(code) : null
  return [{ address: typed(fields.get("original-recipient")) ?? typed(fields.get("final-recipient")), action, status, smtp_code, diagnostic }]
}

/** What follows the type and its semicolon, as in `rfc822; ada@example.com`. */
const typed = (value: string | undefined): string | null => {
  const [, said = ""] = /^[^;]*;(.*)$/.exec(value ?? "") ?? []
  const text = said.trim().replace(/^<(.*)>$/, "$1")
  return text === "" ? null : text
}

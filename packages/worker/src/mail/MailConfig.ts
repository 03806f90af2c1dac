/** How this worker reaches the mail server. Without SMTP_URL it sends no mail, and takes no task that would. */
import * as Environment from "@englog/platform/Environment"
import { Effect, Option, Redacted } from "effect"

export interface MailConfig {
  readonly host: string
  readonly port: number
  /** `implicit`: TLS from the first byte. `starttls`: never a word of mail without it. `none`: only to this machine. */
  readonly tls: "implicit" | "starttls" | "none"
  readonly credentials: Option.Option<{ readonly user: string; readonly password: Redacted.Redacted<string> }>
  /** Certificates of a private authority, PEM file. */
  readonly caFile: Option.Option<string>
  readonly from: { readonly name: string; readonly address: string }
  /** The sender of each envelope, with `{id}` in the place of the message's id; none: the address of `from`. */
  readonly returnPath: Option.Option<string>
  readonly maxConnections: number
  /** Messages a second. */
  readonly rate: number
  /** Milliseconds of silence of the mail server after which it is given up. */
  readonly timeout: number
}

const ADDRESS = /^[^\s@<>"(),:;\\[\]\u0000-\u001F]+@[^\s@<>"(),:;\\[\]\u0000-\u001F]+$/u

const parseFrom = (text: string): MailConfig["from"] | undefined => {
  const [, named, inBrackets] = /^([^<>"\r\n]*)<([^<>]+)>$/.exec(text.trim()) ?? []
  const address = (inBrackets ?? text).trim()
  return ADDRESS.test(address) ? { name: (named ?? "EngLog").trim(), address } : undefined
}

/** The id is a UUID; 64 is what is left of the @ at most (RFC 5321, section 4.5.3.1.1). */
const isReturnPath = (text: string): boolean => {
  const sample = text.replace("{id}", "0".repeat(36))
  return sample !== text && !/[{}]/.test(sample) && ADDRESS.test(sample) && !text.slice(text.indexOf("@")).includes("{id}") && sample.indexOf("@") <= 64
}

const isLoopback = (host: string) => host === "localhost" || host === "[::1]" || /^127\.\d+\.\d+\.\d+$/.test(host)

const rule = "must be a URL such as smtp://user:password@mail.example.com:587 or smtps://mail.example.com"

const parse = (text: string): URL | undefined => URL.canParse(text) ? new URL(text) : undefined

export const mailConfig = Effect.gen(function*() {
  const given = yield* Environment.secret("SMTP_URL")
  if (Option.isNone(given)) return Option.none<MailConfig>()
  const url = parse(Redacted.value(given.value))
  if (url === undefined || !["smtp:", "smtps:"].includes(url.protocol) || url.hostname === "" || !["", "/"].includes(url.pathname) || url.search !== "") {
    return yield* Environment.fail("SMTP_URL", rule)
  }
  const plain = yield* Environment.flag("SMTP_PLAIN", false)
  if (plain && (url.protocol !== "smtp:" || !isLoopback(url.hostname))) {
    return yield* Environment.fail("SMTP_PLAIN", "may be true only where SMTP_URL is smtp:// to this machine: mail and password would be readable on the way")
  }
  const from = parseFrom(yield* Environment.textOr("MAIL_FROM", ""))
  if (from === undefined) {
    return yield* Environment.fail("MAIL_FROM", "must be set when SMTP_URL is: an address such as EngLog <englog@example.com>")
  }
  const returnPath = yield* Environment.text("MAIL_RETURN_PATH")
  if (Option.isSome(returnPath) && !isReturnPath(returnPath.value)) {
    return yield* Environment.fail("MAIL_RETURN_PATH", "must be an address with {id} once left of the @, such as bounces+{id}@example.com, at most 64 characters there with an id of 36")
  }
  const implicit = url.protocol === "smtps:"
  return Option.some<MailConfig>({
    host: url.hostname.replace(/^\[|\]$/g, ""),
    port: url.port === "" ? implicit ? 465 : 587 : Number(url.port),
    tls: implicit ? "implicit" : plain ? "none" : "starttls",
    credentials: url.username === ""
      ? Option.none()
      : Option.some({ user: decodeURIComponent(url.username), password: Redacted.make(decodeURIComponent(url.password)) }),
    caFile: yield* Environment.text("SMTP_CA_FILE"),
    from,
    returnPath,
    maxConnections: yield* Environment.wholeNumber("SMTP_MAX_CONNECTIONS", 1, 100, 5),
    rate: yield* Environment.wholeNumber("SMTP_MAX_PER_SECOND", 1, 10_000, 10),
    timeout: (yield* Environment.wholeNumber("SMTP_TIMEOUT_SECONDS", 1, 300, 60)) * 1_000
  })
})

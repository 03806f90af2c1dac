/** Why a URL was not answered, in words that whoever named the URL may read. */
import { Predicate, Schema } from "effect"

export class WebFailure extends Schema.TaggedError<WebFailure>()("WebFailure", {
  /** `url`, `address`: it may not be asked at all. The others may go better another time. */
  reason: Schema.Literals(["url", "address", "dns", "tls", "connection", "timeout", "too_large", "malformed"]),
  message: Schema.String
}) {
  get retryable(): boolean {
    return this.reason !== "url" && this.reason !== "address"
  }
}

/** Thrown into the connection. It does not tell the address: whoever asks shall not learn the network's names. */
export class RefusedAddress extends Error {
  constructor(host: string) {
    super(`${host} stands for this machine, or for a private or reserved address`)
  }
}

/** What the client throws, told by its code. */
export const failureOf = (thrown: unknown, host: string): WebFailure => {
  const refused = [thrown, ...causesOf(thrown)].find((error) => error instanceof RefusedAddress)
  if (refused !== undefined) return new WebFailure({ reason: "address", message: refused.message })
  const code = [thrown, ...causesOf(thrown)].map(codeOf).find((found) => found !== undefined) ?? "UNKNOWN"
  const known = reasons.find(({ codes }) => codes.test(code))
  return known === undefined
    ? new WebFailure({ reason: "connection", message: `the connection to ${host} failed (${code})` })
    : new WebFailure({ reason: known.reason, message: `${known.told(host)} (${code})` })
}

const causesOf = (error: unknown): ReadonlyArray<unknown> =>
  error instanceof AggregateError ? error.errors : error instanceof Error && error.cause !== undefined ? [error.cause] : []

const codeOf = (error: unknown): string | undefined =>
  Predicate.hasProperty(error, "code") && typeof error.code === "string"
    ? error.code
    : error instanceof Error && error.name === "HTTPParserError"
    ? "HPE_INVALID"
    : undefined

const reasons: ReadonlyArray<{ readonly codes: RegExp; readonly reason: WebFailure["reason"]; readonly told: (host: string) => string }> = [
  { codes: /^(ENOTFOUND|EAI_)/, reason: "dns", told: (host) => `the name ${host} cannot be resolved` },
  { codes: /^(ERR_TLS|ERR_SSL|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO|HOSTNAME_MISMATCH|EPROTO)/, reason: "tls", told: (host) => `${host} has no valid certificate or speaks no TLS` },
  { codes: /^UND_ERR_HEADERS_OVERFLOW|^HPE_HEADER_OVERFLOW/, reason: "too_large", told: (host) => `the head of ${host}'s answer is too large` },
  { codes: /^HPE_/, reason: "malformed", told: (host) => `${host} does not answer in HTTP` },
  { codes: /^(UND_ERR_CONNECT_TIMEOUT|ETIMEDOUT)/, reason: "timeout", told: (host) => `${host} does not accept the connection in time` },
  { codes: /^ECONNREFUSED/, reason: "connection", told: (host) => `${host} refuses the connection` },
  { codes: /^(UND_ERR_SOCKET|ECONNRESET|EPIPE)/, reason: "connection", told: (host) => `${host} closed the connection before its answer was whole` }
]

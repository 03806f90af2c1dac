/**
 * What the edge of the HTTP server is configured to let in. Without configuration: no other origin, no proxy, no TLS in front, no
 * limit.
 */
import { Context } from "effect"
import type { IpNetwork } from "effect/net"
import type { RateLimit } from "../../security/RateLimits.ts"

export interface EdgePolicy {
  /** Origins whose pages may read answers, as browsers write them: `https://app.example.com`. */
  readonly corsOrigins: ReadonlySet<string>
  /** Whose X-Forwarded-For is believed. */
  readonly trustedProxies: ReadonlyArray<IpNetwork.IpNetwork>
  /** Clients come by https only: browsers are told to remember that. */
  readonly behindTls: boolean
  /** Requests in a while; null is unlimited. */
  readonly limits: {
    readonly user: RateLimit | null
    readonly address: RateLimit | null
    /** Of one API token, instead of its user's. */
    readonly token: RateLimit | null
    /** Registrations, logins and refreshes of one address. */
    readonly auth: RateLimit | null
    /** Tasks started by one user. */
    readonly starts: RateLimit | null
  }
}

export const openPolicy: EdgePolicy = {
  corsOrigins: new Set(),
  trustedProxies: [],
  behindTls: false,
  limits: { user: null, token: null, address: null, auth: null, starts: null }
}

export const EdgePolicy = Context.Reference<EdgePolicy>("@englog/api/http/EdgePolicy", { defaultValue: () => openPolicy })

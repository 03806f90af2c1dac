/**
 * The edge's part of the configuration; AppConfig reads it.
 */
import { type ConfigurationError, fail, flag, list, parseDuration, text } from "@englog/platform/Environment"
import { Duration, Effect, Option, Result } from "effect"
import { IpNetwork } from "effect/net"
import type { EdgePolicy } from "./http/edge/EdgePolicy.ts"

/** `reachable`: by other machines. Then, and behind a proxy, the default limits are those of a server in the open. */
export const edgePolicy = Effect.fnUntraced(function*(
  { reachable }: { readonly reachable: boolean }
): Effect.fn.Return<EdgePolicy, ConfigurationError> {
  const trustedProxies = yield* many("TRUSTED_PROXIES", network, "10.0.0.5 or 10.0.0.0/8")
  const inTheOpen = reachable || trustedProxies.length > 0
  const limit = (name: string, variable: string, perMinute: number) => rateLimit(variable, name, inTheOpen ? perMinute : perMinute * ALONE)
  return {
    corsOrigins: new Set(yield* many("CORS_ORIGINS", origin, "https://app.example.com")),
    trustedProxies,
    behindTls: yield* flag("HTTP_BEHIND_TLS", false),
    limits: {
      user: yield* limit("user", "RATE_LIMIT_USER", 600),
      token: yield* limit("token", "RATE_LIMIT_TOKEN", 600),
      address: yield* limit("address", "RATE_LIMIT_ADDRESS", 1_200),
      auth: yield* limit("auth", "RATE_LIMIT_AUTH", 30),
      starts: yield* limit("starts", "RATE_LIMIT_STARTS", 60)
    }
  }
})

/** Whoever shares the machine with the server could stop it anyway: benches and bulk imports get this many times as much. */
const ALONE = 2_000

const rateLimit = Effect.fnUntraced(function*(variable: string, name: string, perMinute: number) {
  const given = yield* text(variable)
  if (Option.isNone(given)) return { name, limit: perMinute, window: Duration.minutes(1) }
  if (given.value.toLowerCase() === "off") return null
  const [, count, window] = /^([1-9]\d{0,8})\/(\S+)$/.exec(given.value) ?? []
  const parsed = window === undefined ? undefined : parseDuration(window)
  return parsed === undefined || count === undefined ? yield* fail(variable, "must be such as 600/1m, or off") : { name, limit: Number(count), window: parsed }
})

const many = Effect.fnUntraced(function*<A>(variable: string, parse: (item: string) => A | undefined, example: string) {
  const given = yield* text(variable)
  return yield* Effect.forEach(list(Option.getOrElse(given, () => "")), (item) => {
    const parsed = parse(item)
    return parsed === undefined
      ? Effect.fail(fail(variable, `has an item "${item}" that is not such as ${example}`))
      : Effect.succeed(parsed)
  })
})

const network = (item: string): IpNetwork.IpNetwork | undefined =>
  Result.getOrUndefined(IpNetwork.fromString(item.includes("/") ? item : `${item}/${item.includes(":") ? 128 : 32}`))

/** As browsers write it: without a path, in lower case, without a default port. */
const origin = (item: string): string | undefined => URL.canParse(item) && /^https?:/.test(item) && new URL(item).origin === item ? item : undefined

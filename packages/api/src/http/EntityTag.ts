/**
 * The entity tags of what people change: a digest of all that is shown, so that whatever differs has another one. Who writes
 * compares it under the lock under which the write happens; then nothing changes between the two.
 */
import { matches, quoted } from "@englog/rpc/http/EntityTags"
import { PreconditionFailed } from "@englog/rpc/http/HttpErrors"
import { Effect, Option } from "effect"
import { HttpServerResponse } from "effect/http"
import { HttpApiSchema } from "effect/http-api"
import { createHash } from "node:crypto"

interface Tagged {
  readonly etag: string
}

/** The same for the same representation, another one for another. */
export const withEtag = <A extends object>(shown: A): A & Tagged => ({
  ...shown,
  etag: createHash("sha256").update(JSON.stringify(shown)).digest("base64url").slice(0, 22)
})

/** What the caller has seen, as the header that it is over REST: `*` or tags in quotes. */
export type Seen = Option.Option<string>

/** Of a REST request. */
export const seenIn = (headers: { readonly "if-match"?: string }): Seen => Option.fromUndefinedOr(headers["if-match"])

/** Of a procedure or of an operation in a body, where a tag stands without quotes. */
export const seenTag = (etag: string | undefined): Seen => Option.map(Option.fromUndefinedOr(etag), quoted)

/** Whether the caller knows another state than the stored one. */
export const isStale = (seen: Seen, stored: Tagged): boolean => Option.exists(seen, (header) => !matches(header, stored.etag, "strong"))

export const stale = (noun: string) => new PreconditionFailed({ error: `if-match: the ${noun} has changed since; read it again` })

export const unlessStale = (seen: Seen, stored: Tagged, noun: string): Effect.Effect<void, PreconditionFailed> =>
  isStale(seen, stored) ? Effect.fail(stale(noun)) : Effect.void

/** An answer with its tag in the header too. */
export const shown = <A extends Tagged>(body: A) => HttpApiSchema.withHeaders({ body, headers: { etag: quoted(body.etag) } })

export const created = <A extends Tagged>(body: A, location: string) =>
  HttpApiSchema.withHeaders({ body, headers: { location, etag: quoted(body.etag) } })

/** The answer of a GET: 304 where the caller has it already. */
export const shownUnlessKnown = <A extends Tagged>(body: A, { "if-none-match": known }: { readonly "if-none-match"?: string }) =>
  known !== undefined && matches(known, body.etag, "weak")
    ? HttpServerResponse.empty({ status: 304, headers: { etag: quoted(body.etag) } })
    : shown(body)

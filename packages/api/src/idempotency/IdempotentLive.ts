/**
 * The server's side of Idempotent: a request with a key runs in one transaction with the key and its answer. Whatever its
 * handler writes is there with them or not at all; only tasks, which the engine commits by itself, are there a moment before.
 */
import { CurrentUser } from "@englog/rpc/http/Authorization"
import { BadRequest, ServiceUnavailable, UnprocessableContent } from "@englog/rpc/http/HttpErrors"
import { idempotencyKey, Idempotent } from "@englog/rpc/http/Idempotent"
import { Data, Effect, Latch, Layer, Option, Semaphore } from "effect"
import { HttpServerRequest, HttpServerResponse } from "effect/http"
import { SqlClient } from "effect/sql"
import type { unhandled } from "effect/Types"
import type { FieldCipher } from "../crypto/FieldCipher.ts"
import { orUnavailable } from "../http/errors/DatabaseOutage.ts"
import { pathOf } from "../http/RouteTable.ts"
import { IdempotencyRepo, type KeptAnswer, type KeptRequest, type KeyScope, type RequestBytes } from "./IdempotencyRepo.ts"

/**
 * Requests with keys that run at once. Each holds a connection of the pool (16) to its end, and some of what they do takes
 * another one.
 */
const AT_ONCE = 8

type Answer = HttpServerResponse.HttpServerResponse
type Served = Effect.Effect<Answer, unhandled>
type Refused = unhandled | ServiceUnavailable | UnprocessableContent

/** The answer is no success: nothing is kept, and the transaction is undone. */
class NotKept extends Data.TaggedError("NotKept")<{ readonly answer: Answer }> {}

export const IdempotentLive: Layer.Layer<Idempotent, never, SqlClient.SqlClient | FieldCipher> = Layer.effect(
  Idempotent,
  Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const repo = yield* IdempotencyRepo
    const atOnce = yield* Semaphore.make(AT_ONCE)
    const alone = oneOfAName()

    const carriedOut = (scope: KeyScope, request: RequestBytes, served: Served) =>
      sql.withTransaction(Effect.gen(function*() {
        const claimed = yield* repo.claim(scope, request)
        if (Option.isNone(claimed)) return yield* answered(yield* repo.find(scope, request))
        const answer = yield* served
        const kept = keptOf(answer)
        if (Option.isNone(kept)) return yield* new NotKept({ answer })
        yield* repo.keep(claimed.value, kept.value)
        return answer
      })).pipe(Effect.catchIf((failure) => failure instanceof NotKept, ({ answer }) => Effect.succeed(answer)))

    const once = (scope: KeyScope, request: RequestBytes, served: Served): Effect.Effect<Answer, Refused> =>
      Effect.gen(function*() {
        const known = yield* orUnavailable(repo.find(scope, request))
        return yield* Option.isSome(known)
          ? answered(known)
          : alone(JSON.stringify(scope), orUnavailable(atOnce.withPermit(carriedOut(scope, request, served))), once(scope, request, served))
      })

    return Idempotent.of(Effect.fnUntraced(function*(served, { endpoint }) {
      const request = yield* HttpServerRequest.HttpServerRequest
      const key = request.headers[idempotencyKey]
      if (endpoint.method !== "POST" || key === undefined) return yield* served
      if (!/^[\x21-\x7e]{1,255}$/.test(key)) {
        return yield* new BadRequest({ error: "idempotency-key: must be 1 to 255 characters of ASCII without spaces" })
      }
      const { id: user_id } = yield* CurrentUser
      const scope = { user_id, method: request.method, path: pathOf(request.url), key }
      const body = new Uint8Array(yield* Effect.orDie(request.arrayBuffer))
      return yield* once(scope, [Buffer.from(`${request.url}\n`, "utf8"), body], served)
    }))
  })
).pipe(Layer.provide(IdempotencyRepo.layer))

/**
 * Runs one effect of a name at a time. Whoever comes meanwhile holds nothing while it waits, and then looks for itself what
 * came of it: all of them at once, not one after another.
 */
const oneOfAName = () => {
  const running = new Map<string, Latch.Latch>()
  return <A, E, R, A2, E2, R2>(name: string, effect: Effect.Effect<A, E, R>, afterwards: Effect.Effect<A2, E2, R2>) =>
    Effect.suspend((): Effect.Effect<A | A2, E | E2, R | R2> => {
      const other = running.get(name)
      if (other !== undefined) return Effect.andThen(other.await, afterwards)
      const ended = Latch.makeUnsafe()
      running.set(name, ended)
      return Effect.ensuring(effect, Effect.sync(() => {
        running.delete(name)
        ended.openUnsafe()
      }))
    })
}

/** What is worth telling of an answer's head: the rest is made anew for each. */
const keptHeaders = ["content-type", "etag", "location"] as const

/** None where it is no success, or has a body that is not at hand as a whole. */
const keptOf = ({ body, headers, status }: Answer): Option.Option<KeptAnswer> => {
  if (status < 200 || status > 299 || (body._tag !== "Uint8Array" && body._tag !== "Empty")) return Option.none()
  const type = body._tag === "Uint8Array" ? { "content-type": body.contentType } : {}
  const told = keptHeaders.flatMap((name) => headers[name] === undefined ? [] : [[name, headers[name]] as const])
  return Option.some({
    status,
    headers: { ...type, ...Object.fromEntries(told) },
    body: body._tag === "Uint8Array" ? Buffer.from(body.body).toString("utf8") : null
  })
}

const replayed = { "idempotent-replayed": "true" }

const answered = (
  kept: Option.Option<KeptRequest>
): Effect.Effect<Answer, UnprocessableContent | ServiceUnavailable> => {
  // Its time ran out between two looks.
  if (Option.isNone(kept)) return Effect.fail(new ServiceUnavailable({ error: "idempotency-key: has just expired; try again", retry_after: 1 }))
  const { answer: { body, headers, status }, same } = kept.value
  if (!same) return Effect.fail(new UnprocessableContent({ error: "idempotency-key: was used for another request; use a new one" }))
  return Effect.succeed(body === null
    ? HttpServerResponse.empty({ status, headers: { ...headers, ...replayed } })
    : HttpServerResponse.text(body, { status, headers: { ...headers, ...replayed }, contentType: headers["content-type"] }))
}

/**
 * Requests that may be sent twice: a POST with an `Idempotency-Key` is carried out once. For 24 hours the same user, path
 * and key get the same answer again, with `idempotent-replayed: true`; with another body 422. Those that come while the first
 * one is under way wait for it. A request that was refused has done nothing: it is carried out when it comes again.
 *
 * It goes on groups whose POSTs create things, before Authorization (`.middleware(Idempotent).middleware(Authorization)`); never
 * on what makes sessions or tokens, whose answers must not be kept.
 */
import { HttpApiMiddleware } from "effect/http-api"
import type { CurrentUser } from "./Authorization.ts"
import { BadRequest, ServiceUnavailable, UnprocessableContent } from "./HttpErrors.ts"

export class Idempotent extends HttpApiMiddleware.Service<Idempotent, { requires: CurrentUser }>()(
  "@englog/rpc/http/Idempotent",
  { error: [BadRequest, UnprocessableContent, ServiceUnavailable] }
) {}

export const idempotencyKey = "idempotency-key"

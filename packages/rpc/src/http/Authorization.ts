/**
 * Bearer authentication for HTTP and RPC: the caller's access token becomes a `CurrentUser`.
 */
import type { OrganizationId, UserId } from "@englog/domain/Ids"
import { Context } from "effect"
import { HttpApiMiddleware, HttpApiSecurity } from "effect/http-api"
import { ServiceUnavailable, TooManyRequests, Unauthorized } from "./HttpErrors.ts"

/** The authenticated caller. `organization_id` is the personal organization every user gets at registration. */
export class CurrentUser extends Context.Service<CurrentUser, {
  readonly id: UserId
  readonly organization_id: OrganizationId
  readonly is_admin: boolean
  /** IANA zone. */
  readonly timezone: string
}>()("@englog/rpc/http/CurrentUser") {}

export class Authorization extends HttpApiMiddleware.Service<Authorization, { provides: CurrentUser }>()(
  "@englog/rpc/http/Authorization",
  { security: { bearer: HttpApiSecurity.bearer }, error: [Unauthorized, TooManyRequests, ServiceUnavailable] }
) {}

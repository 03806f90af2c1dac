/**
 * Bearer authentication for HTTP and RPC: the caller's access token or API token becomes a `CurrentUser`.
 */
import type { ApiTokenId, FamilyId, OrganizationId, UserId } from "@englog/domain/Ids"
import { Context } from "effect"
import { HttpApiMiddleware, HttpApiSecurity } from "effect/http-api"
import { Forbidden, ServiceUnavailable, TooManyRequests, Unauthorized } from "./HttpErrors.ts"
import type { TokenScope } from "./RequiredScope.ts"

/** By what somebody is known: a login, or an API token with its scopes. */
export type Credential =
  | { readonly _tag: "Session"; readonly id: FamilyId }
  | { readonly _tag: "ApiToken"; readonly id: ApiTokenId; readonly scopes: ReadonlyArray<TokenScope> }

/** The authenticated caller. `organization_id` is the personal organization every user gets at registration. */
export class CurrentUser extends Context.Service<CurrentUser, {
  readonly id: UserId
  readonly organization_id: OrganizationId
  /** An administrator's token is no administrator without the scope `admin`. */
  readonly is_admin: boolean
  /** IANA zone. */
  readonly timezone: string
  readonly credential: Credential
}>()("@englog/rpc/http/CurrentUser") {}

export class Authorization extends HttpApiMiddleware.Service<Authorization, { provides: CurrentUser }>()(
  "@englog/rpc/http/Authorization",
  { security: { bearer: HttpApiSecurity.bearer }, error: [Unauthorized, Forbidden, TooManyRequests, ServiceUnavailable] }
) {}

/**
 * Who is asking, as far as that is known before anybody is authenticated: the id of the request and the address it comes
 * from. The edge of a server sets it around each request; outside of one there is none.
 */
import { Context } from "effect"

export const RequestOrigin = Context.Reference<{
  readonly request_id: string | null
  /** As limits know it (ClientAddress). */
  readonly address: string | null
  /** As the client names itself. */
  readonly user_agent: string | null
}>("@englog/api/security/RequestOrigin", { defaultValue: () => ({ request_id: null, address: null, user_agent: null }) })

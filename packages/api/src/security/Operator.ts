/** Whoever steers the whole installation: an administrator's account, or whoever runs commands on the server itself. */
import type { UserId } from "@englog/domain/Ids"
import { Forbidden } from "@englog/rpc/http/HttpErrors"
import { Effect } from "effect"

export interface Operator {
  readonly is_admin: boolean
  /** None at the server's own command line. */
  readonly id?: UserId
}

export const atTheServer: Operator = { is_admin: true }

export const administratorsOnly = (operator: Operator): Effect.Effect<void, Forbidden> =>
  operator.is_admin ? Effect.void : Effect.fail(new Forbidden({ error: "only an administrator may do this" }))

/** For the audit log. */
export const actor = ({ id }: Operator): { readonly user_id?: UserId } => id === undefined ? {} : { user_id: id }

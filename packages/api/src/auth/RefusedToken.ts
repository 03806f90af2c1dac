/** A token that is not ours is a security event; one that has merely expired is everyday life. */
import { Effect } from "effect"
import type { SecurityEvents } from "../security/SecurityEvents.ts"
import type { InvalidToken } from "./Jwt.ts"

export const recordRefusedToken = ({ record }: SecurityEvents["Service"]) => ({ reason }: InvalidToken): Effect.Effect<void> =>
  reason === "expired" ? Effect.void : record({ event: "token_refused", detail: { reason } })

/** Marks what makes a worker work, in the REST and the RPC contract: it has a stricter limit than reading. */
import { Context } from "effect"

export const StartsTask = Context.Reference<boolean>("@englog/rpc/http/StartsTask", { defaultValue: () => false })

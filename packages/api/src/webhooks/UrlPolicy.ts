/** Which URLs people may have EngLog ask; the worker judges them again, with the addresses that their names stand for. */
import { problemOfUrl, type UrlRules } from "@englog/platform/web/PublicUrl"
import { BadRequest } from "@englog/rpc/http/HttpErrors"
import { Context, Effect } from "effect"

export const UrlPolicy = Context.Reference<UrlRules>("@englog/api/webhooks/UrlPolicy", { defaultValue: () => ({ allowPrivate: false }) })

/** `field` is the one that holds it. */
export const checkUrl = (rules: UrlRules, field: string, url: string): Effect.Effect<void, BadRequest> => {
  const problem = problemOfUrl(url, rules)
  return problem === undefined ? Effect.void : new BadRequest({ error: `${field}: ${problem}` })
}

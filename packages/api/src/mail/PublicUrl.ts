/** Where people reach this installation (PUBLIC_URL), without a slash at its end. Without it, e-mails have no links. */
import { Context, Option } from "effect"

export const PublicUrl = Context.Reference<Option.Option<string>>("@englog/api/mail/PublicUrl", { defaultValue: () => Option.none() })

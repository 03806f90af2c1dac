/**
 * Signatures of webhooks by the Standard Webhooks specification (https://www.standardwebhooks.com): who receives messages of
 * EngLog's verifies them with this, or with any other library of the specification.
 */
import { Effect, Schema } from "effect"
import { Webhook } from "standardwebhooks"

/** The message is not from whom it should be, or it is too old, too new or not whole: answer 400 and do nothing. */
export class WebhookRefused extends Schema.TaggedError<WebhookRefused>()("WebhookRefused", { message: Schema.String }) {}

/** The three headers, by their names in lower case; others may stand beside them. */
export type WebhookRequestHeaders = Readonly<Record<string, string | ReadonlyArray<string> | undefined>>

/**
 * The JSON of a message whose signature fits one of the secrets (`whsec_…`): give both while a rotation is under way. `body` is the
 * text as it arrived, never what was parsed from it. Its timestamp may be five minutes off. Each `webhook-id` may come more than once:
 * remember those that were dealt with.
 */
export const verifyWebhook = (
  secrets: string | ReadonlyArray<string>,
  headers: WebhookRequestHeaders,
  body: string
): Effect.Effect<Schema.Json, WebhookRefused> => {
  const given = Object.fromEntries(NAMES.map((name) => [name, String(headers[name] ?? "")]))
  const attempts = (typeof secrets === "string" ? [secrets] : secrets).map((secret) =>
    Effect.try({
      try: () => new Webhook(secret).verify(body, given, { jsonParse: false }),
      catch: (cause) => new WebhookRefused({ message: cause instanceof Error ? cause.message : "the signature does not fit" })
    }))
  if (attempts.length === 0) return new WebhookRefused({ message: "no secret was given" })
  return Effect.firstSuccessOf(attempts).pipe(
    Effect.andThen(decodeJson(body)),
    Effect.catchTag("SchemaError", () => new WebhookRefused({ message: "the body is no JSON" }))
  )
}

const NAMES = ["webhook-id", "webhook-timestamp", "webhook-signature"]

const decodeJson = Schema.decodeEffect(Schema.fromJsonString(Schema.Json))

export interface SignedMessage {
  readonly id: string
  readonly at: Date
  readonly body: string
}

/** The three headers, with one signature for each secret, separated by spaces. */
export const webhookHeaders = (secrets: ReadonlyArray<string>, { at, body, id }: SignedMessage): Readonly<Record<string, string>> => ({
  "webhook-id": id,
  "webhook-timestamp": String(Math.floor(at.getTime() / 1_000)),
  "webhook-signature": secrets.map((secret) => new Webhook(secret).sign(id, at, body)).join(" ")
})

/**
 * `/v1/mail/unsubscribe/{token}`, for mail programs and people: POST does it (RFC 8058), GET asks first, because links are opened by
 * machines that look for dangers, too.
 */
import { Effect, Layer, Option } from "effect"
import { HttpRouter, HttpServerResponse } from "effect/http"
import { databaseOutage } from "../http/errors/DatabaseOutage.ts"
import { unsubscribeRoute } from "../http/RouteTable.ts"
import { Unsubscribing } from "./Unsubscribing.ts"

export const UnsubscribeRoute: Layer.Layer<never, never, HttpRouter.HttpRouter | Unsubscribing> = HttpRouter.use(Effect.fnUntraced(function*(router) {
  const { carryOut, read } = yield* Unsubscribing
  const found = Effect.map(HttpRouter.params, ({ token = "" }) => read(token))
  yield* router.add("GET", unsubscribeRoute, Effect.map(found, Option.match({ onNone: () => unknown, onSome: () => question })))
  yield* router.add("POST", unsubscribeRoute, Effect.flatMap(found, Option.match({
    onNone: () => Effect.succeed(unknown),
    onSome: (unsubscription) =>
      Effect.as(carryOut(unsubscription), done).pipe(
        Effect.catch((error) => databaseOutage(error) === undefined ? Effect.die(error) : Effect.succeed(later))
      )
  })))
}))

const page = (status: number, text: string, form = "") =>
  HttpServerResponse.html(`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>EngLog</title></head>
<body style="max-width:480px;margin:48px auto;font:16px/1.5 system-ui,sans-serif"><p>${text}</p>${form}</body></html>
`).pipe(
    HttpServerResponse.setStatus(status),
    HttpServerResponse.setHeaders({
      "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
      "cache-control": "no-store",
      "referrer-policy": "no-referrer"
    })
  )

const question = page(200, "Do you want no more of these e-mails?", "<form method=\"post\"><button>Unsubscribe</button></form>")
const done = page(200, "You will get no more of these e-mails. In your preferences you can ask for them again.")
const unknown = page(404, "This link is not one of ours, or not complete.")
const later = page(503, "This is not possible at the moment. Please try again in a minute.")

/**
 * An event stream is open once its head was sent, for clients (`EventSource` tells it as `open`) and for proxies that wait for heads.
 * Node sends it with the first bytes, which a quiet stream has only after a while: so its first bytes are none.
 */
import { Stream } from "effect"
import { HttpBody, HttpServerResponse } from "effect/http"

export const openAtOnce = (response: HttpServerResponse.HttpServerResponse): HttpServerResponse.HttpServerResponse => {
  const { body } = response
  return body._tag === "Stream" && body.contentType.startsWith("text/event-stream")
    ? HttpServerResponse.setBody(response, HttpBody.stream(Stream.concat(Stream.succeed(nothing), body.stream), body.contentType))
    : response
}

const nothing = new Uint8Array(0)

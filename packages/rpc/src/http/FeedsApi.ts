/** Calendar feeds as calendar programs read them: who knows the address is who may. */
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { etagHeader, ifNoneMatch } from "./EntityTags.ts"
import { examples } from "./Examples.ts"
import { NotFound, ServiceUnavailable, TooManyRequests } from "./HttpErrors.ts"

/** The route of a feed; its parameter is a secret, and must be named nowhere. */
export const feedRoute = "/v1/feeds/:secret.ics"

export class FeedsApi extends HttpApiGroup.make("feeds").add(
  HttpApiEndpoint.get("read", feedRoute, {
    params: { secret: Schema.String.check(Schema.isMaxLength(100, { expected: "at most 100 characters" })) },
    headers: ifNoneMatch,
    success: [
      HttpApiSchema.WithHeaders(Schema.String.pipe(HttpApiSchema.asText({ contentType: "text/calendar" })), etagHeader),
      HttpApiSchema.Empty(304)
    ],
    error: [NotFound, TooManyRequests, ServiceUnavailable]
  }).annotateMerge(OpenApi.annotations({
    summary: "Read a calendar feed",
    description: "RFC 5545, without a login: the address is the secret. Each feed may be read 60 times within a minute.",
    transform: examples({ response: "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//EngLog//EN\r\nEND:VCALENDAR\r\n" })
  }))
).annotateMerge(OpenApi.annotations({ title: "Calendar feeds", description: "Entries as calendars, at secret addresses." })) {}

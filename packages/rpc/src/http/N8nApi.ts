/** Connections to n8n (seed 002's external sync): where it is, how it knows us, which workflow takes what. */
import { N8nConnectionId, OrganizationId } from "@englog/domain/Ids"
import { JwtAlgorithm, N8nConnection } from "@englog/domain/n8n/N8nConnection"
import { Effect, Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { Authorization } from "./Authorization.ts"
import { examples } from "./Examples.ts"
import { BadRequest, Conflict, Forbidden, NotFound } from "./HttpErrors.ts"
import { Idempotent } from "./Idempotent.ts"
import * as Example from "./N8nExamples.ts"
import { Page, pageQuery } from "./Page.ts"
import { PlainText, TrimmedText } from "./PlainText.ts"
import { ignored } from "./ReadOnlyFields.ts"
import { RequiredScope } from "./RequiredScope.ts"

/** Of one organization. */
export const MAX_CONNECTIONS = 50
export const MAX_SYNC_TYPES = 50

const named = (pattern: RegExp, expected: string) => Schema.String.check(Schema.isPattern(pattern, { expected }))

export const SyncTypeName = named(/^[a-z][a-z0-9_]{0,62}$/, "a name of up to 63 lower-case letters, digits and underscores, such as user_registration")
/** Segments without dots alone, so that it leads nowhere else on the server. */
export const WebhookPath = named(/^(?!\.)[A-Za-z0-9._~-]{1,200}(\/(?!\.)[A-Za-z0-9._~-]{1,200}){0,9}$/, "the path of a Webhook node, such as user-registration")

const BaseUrl = Schema.String.check(Schema.makeFilter<string>((text) => {
  const url = URL.parse(text)
  if (text.length > 500 || url === null || !/^https?:$/.test(url.protocol)) return "must be an http or https URL of at most 500 characters"
  return url.username + url.password + url.search + url.hash === "" ? undefined : "must not hold a user name, a query or a fragment"
}, { expected: "an http or https URL", toJsonSchema: () => [{ format: "uri" }, true] }))

const secret = PlainText({ min: 1, max: 10_000 }).annotate({ description: "Never shown. Where it is left out in a change, it stays." })
/** Of RFC 9110; those that say how the message travels are not for others to choose. */
const HeaderName = named(
  /^(?!(?:host|content-length|content-type|connection|transfer-encoding|upgrade|te|trailer|expect|keep-alive)$)[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}$/i,
  "the name of a header, such as X-API-Key"
)
const HeaderValue = named(/^[\x21-\x7e](?:[\x20-\x7e]{0,4094}[\x21-\x7e])?$/, "1 to 4096 characters of ASCII, without blanks at either end")

export const N8nAuthPayload = Schema.Union([
  Schema.Struct({ type: Schema.Literal("none") }),
  Schema.Struct({ type: Schema.Literal("basic"), username: named(/^[^:\x00-\x1f]{1,200}$/, "1 to 200 characters without a colon"), password: Schema.optionalKey(secret) }),
  Schema.Struct({ type: Schema.Literal("header"), name: HeaderName, value: Schema.optionalKey(HeaderValue) }),
  Schema.Struct({ type: Schema.Literal("jwt"), algorithm: JwtAlgorithm, key: Schema.optionalKey(secret) })
]).annotate({ description: "As the credential of the Webhook node has it. `key`: the passphrase, or the private key as PEM (PKCS #8)." })
export type N8nAuthPayload = typeof N8nAuthPayload.Type

const FieldName = TrimmedText({ min: 1, max: 200 })
const SourcePath = named(/^[^.]{1,100}(\.[^.]{1,100}){0,9}$/, "names with dots between them, such as user.email")

export const SyncTypePayload = Schema.Struct({
  sync_type: SyncTypeName,
  path: WebhookPath,
  mapping: Schema.NullOr(Schema.Record(FieldName, SourcePath)).annotate({
    default: null,
    description: "Field of what n8n gets: where it stands in the data. Null: the data as they are."
  }).pipe(Schema.withDecodingDefaultKey(Effect.succeed(null)))
})

export const N8nConnectionPayload = Schema.Struct({
  organization_id: Schema.optionalKey(OrganizationId.annotate({ description: "One whose administrator you are; by default your own. A connection stays where it is." })),
  name: TrimmedText({ min: 1, max: 100 }),
  base_url: BaseUrl.annotate({ description: "Of n8n's webhooks, without `/webhook`. A private address must be among N8N_PRIVATE_HOSTS of the workers." }),
  auth: N8nAuthPayload,
  sync_types: Schema.Array(SyncTypePayload).check(Schema.makeFilter<ReadonlyArray<{ readonly sync_type: string }>>((types) =>
    types.length > MAX_SYNC_TYPES
      ? `must be at most ${MAX_SYNC_TYPES}`
      : new Set(types.map(({ sync_type }) => sync_type)).size < types.length
      ? "must not name a sync type twice"
      : undefined, { expected: `at most ${MAX_SYNC_TYPES}`, toJsonSchema: () => [{ maxItems: MAX_SYNC_TYPES }, true] })),
  timeout: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 240 }, { expected: "a whole number of seconds from 1 to 240" })).annotate({ default: 30 })
    .pipe(Schema.withDecodingDefaultKey(Effect.succeed(30))),
  id: ignored,
  last_success_at: ignored,
  last_failure_at: ignored,
  last_task_id: ignored,
  created_at: ignored,
  updated_at: ignored
}).annotate({ identifier: "N8nConnectionPayload" })
export type N8nConnectionPayload = typeof N8nConnectionPayload.Type

export const N8nConnectionPage = Page(N8nConnection).annotate({ identifier: "N8nConnectionPage" })

export const N8nConnectionsQuery = Schema.Struct({ organization_id: Schema.optionalKey(OrganizationId), ...pageQuery })
export type N8nConnectionsQuery = typeof N8nConnectionsQuery.Type

const params = { id: N8nConnectionId }
const rules = "Only administrators of the organization see and change its connections; every member may submit to them."

export class N8nApi extends HttpApiGroup.make("n8n").add(
  HttpApiEndpoint.post("create", "/v1/integrations/n8n/connections", {
    payload: N8nConnectionPayload,
    success: HttpApiSchema.WithHeaders(N8nConnection.pipe(HttpApiSchema.status(201)), { location: Schema.String }),
    error: [BadRequest, Conflict, Forbidden]
  }).annotateMerge(OpenApi.annotations({
    summary: "Connect an n8n",
    description: `${rules} A sync type leads to one connection of an organization.`,
    transform: examples({ request: Example.request, response: Example.connection })
  })),
  HttpApiEndpoint.get("list", "/v1/integrations/n8n/connections", { query: N8nConnectionsQuery, success: N8nConnectionPage, error: [BadRequest, Forbidden] })
    .annotateMerge(OpenApi.annotations({
      summary: "List an organization's connections to n8n, newest first",
      description: rules,
      transform: examples({ response: { items: [Example.connection], next_cursor: null } })
    })),
  HttpApiEndpoint.get("get", "/v1/integrations/n8n/connections/:id", { params, success: N8nConnection, error: NotFound })
    .annotateMerge(OpenApi.annotations({ summary: "Read a connection", description: rules, transform: examples({ response: Example.connection }) })),
  HttpApiEndpoint.put("update", "/v1/integrations/n8n/connections/:id", {
    params,
    payload: N8nConnectionPayload,
    success: N8nConnection,
    error: [BadRequest, Conflict, NotFound]
  }).annotateMerge(OpenApi.annotations({
    summary: "Replace a connection",
    description: "A secret that is left out stays, as long as the type of authentication does. Tasks that wait use what is new.",
    transform: examples({ request: Example.request, response: Example.connection })
  })),
  HttpApiEndpoint.delete("remove", "/v1/integrations/n8n/connections/:id", { params, success: HttpApiSchema.NoContent, error: NotFound })
    .annotateMerge(OpenApi.annotations({ summary: "Delete a connection", description: "Tasks that wait for it fail." }))
).annotateEndpoints(RequiredScope, "background").middleware(Idempotent).middleware(Authorization).annotateMerge(OpenApi.annotations({
  title: "n8n",
  description: "Connections to workflows of n8n."
})) {}

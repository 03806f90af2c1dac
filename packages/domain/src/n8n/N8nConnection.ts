/**
 * An organization's n8n: where it is, how it knows us, and which of its workflows takes what. A workflow is started by its Webhook
 * node, at `/webhook/<path>` while it is active and at `/webhook-test/<path>` while somebody looks on in its editor.
 */
import { Schema } from "effect"
import { N8nConnectionId, OrganizationId, TaskId } from "../Ids.ts"

/** HMAC with a passphrase, or RSA, RSA-PSS and ECDSA with a private key, as n8n's JWT credential offers them. */
export const JwtAlgorithm = Schema.Literals([
  "HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512"
])
export type JwtAlgorithm = typeof JwtAlgorithm.Type

/** What a Webhook node asks for, secrets included: kept sealed, and handed to whoever runs a task of this connection. */
export const N8nSecret = Schema.Union([
  Schema.Struct({ type: Schema.Literal("none") }),
  Schema.Struct({ type: Schema.Literal("basic"), username: Schema.String, password: Schema.String }),
  Schema.Struct({ type: Schema.Literal("header"), name: Schema.String, value: Schema.String }),
  Schema.Struct({ type: Schema.Literal("jwt"), algorithm: JwtAlgorithm, key: Schema.String })
])
export type N8nSecret = typeof N8nSecret.Type

/** What of it may be shown. */
export const N8nAuth = Schema.Union([
  Schema.Struct({ type: Schema.Literal("none") }),
  Schema.Struct({ type: Schema.Literal("basic"), username: Schema.String }),
  Schema.Struct({ type: Schema.Literal("header"), name: Schema.String }),
  Schema.Struct({ type: Schema.Literal("jwt"), algorithm: JwtAlgorithm })
])
export type N8nAuth = typeof N8nAuth.Type

export const shown = (secret: N8nSecret): N8nAuth => {
  switch (secret.type) {
    case "none":
      return { type: "none" }
    case "basic":
      return { type: "basic", username: secret.username }
    case "header":
      return { type: "header", name: secret.name }
    case "jwt":
      return { type: "jwt", algorithm: secret.algorithm }
  }
}

/** Which workflow takes a kind of data, and what of it under which names. */
export const SyncType = Schema.Struct({
  sync_type: Schema.String,
  /** Of the Webhook node. */
  path: Schema.String,
  /** Field of what n8n gets → where it stands in the data, by dots (`user.email`); null: the data as they are. */
  mapping: Schema.NullOr(Schema.Record(Schema.String, Schema.String))
})
export type SyncType = typeof SyncType.Type

export class N8nConnection extends Schema.Class<N8nConnection>("N8nConnection")({
  id: N8nConnectionId,
  organization_id: OrganizationId,
  name: Schema.String,
  base_url: Schema.String,
  auth: N8nAuth,
  sync_types: Schema.Array(SyncType),
  /** Seconds that a workflow may take to answer. */
  timeout: Schema.Int,
  /** The last times that a workflow took something, and that an attempt failed; and the task of whichever was later. */
  last_success_at: Schema.NullOr(Schema.DateTimeUtcFromString),
  last_failure_at: Schema.NullOr(Schema.DateTimeUtcFromString),
  last_task_id: Schema.NullOr(TaskId),
  created_at: Schema.DateTimeUtcFromString,
  updated_at: Schema.DateTimeUtcFromString
}) {}

/** Of the data what the mapping names; what is not there is left out. */
export const mapped = (data: Schema.Json, mapping: SyncType["mapping"]): Schema.Json =>
  mapping === null
    ? data
    : Object.fromEntries(Object.entries(mapping).flatMap(([field, source]) => {
      const value = valueAt(data, source.split("."))
      return value === undefined ? [] : [[field, value]]
    }))

const valueAt = (json: Schema.Json, path: ReadonlyArray<string>): Schema.Json | undefined => {
  const [name, ...rest] = path
  if (name === undefined) return json
  if (typeof json !== "object" || json === null) return undefined
  const value = Object.entries(json).find(([key]) => key === name)?.[1]
  return value === undefined ? undefined : valueAt(value, rest)
}

/** Where a Webhook node listens. */
export const webhookUrl = (base_url: string, path: string, test: boolean): string =>
  `${base_url.replace(/\/+$/, "")}/${test ? "webhook-test" : "webhook"}/${path}`

/** Webhooks: endpoints, their secrets and circuits, messages, and the log of attempts (docs/decisions/0037). */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"

export default Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient

  yield* sql`
    CREATE TABLE webhook_endpoints (
      id uuid PRIMARY KEY,
      organization_id uuid NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
      user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
      -- Its path and query often hold a secret of the receiver's.
      url encrypted_text NOT NULL,
      description encrypted_text,
      headers encrypted_text,
      -- Null: all.
      events text[],
      max_retries integer NOT NULL CHECK (max_retries BETWEEN 0 AND 100),
      max_running integer CHECK (max_running > 0),
      per_second double precision CHECK (per_second > 0),
      disabled_at timestamptz,
      disabled_reason text CHECK (disabled_reason IN ('user', 'gone')),
      -- Failed attempts in a row; how often the circuit opened since the last success; until when it is open; whose attempt tries
      -- whether the receiver is back.
      failures integer NOT NULL DEFAULT 0,
      trips integer NOT NULL DEFAULT 0,
      circuit_until timestamptz,
      circuit_probe uuid,
      created_at timestamptz NOT NULL DEFAULT now(),
      updated_at timestamptz NOT NULL DEFAULT now(),
      CONSTRAINT disabled_for_a_reason CHECK ((disabled_at IS NULL) = (disabled_reason IS NULL))
    )`
  yield* sql`CREATE INDEX webhook_endpoints_by_organization ON webhook_endpoints (organization_id, created_at DESC, id DESC)`
  yield* sql`CREATE INDEX webhook_endpoints_by_user ON webhook_endpoints (user_id)`

  // Of an endpoint, or of an organization for URLs that are named once. The newest one signs for good, the one before until it expires.
  yield* sql`
    CREATE TABLE webhook_secrets (
      id uuid PRIMARY KEY,
      organization_id uuid NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
      endpoint_id uuid REFERENCES webhook_endpoints (id) ON DELETE CASCADE,
      secret encrypted_text NOT NULL,
      created_at timestamptz NOT NULL DEFAULT now(),
      expires_at timestamptz
    )`
  yield* sql`
    CREATE UNIQUE INDEX webhook_secrets_lasting ON webhook_secrets (coalesce(endpoint_id, organization_id)) WHERE expires_at IS NULL`
  yield* sql`CREATE INDEX webhook_secrets_by_endpoint ON webhook_secrets (endpoint_id)`
  yield* sql`CREATE INDEX webhook_secrets_by_organization ON webhook_secrets (organization_id)`

  yield* sql`
    CREATE TABLE webhook_deliveries (
      id uuid PRIMARY KEY,
      organization_id uuid NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
      user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
      endpoint_id uuid REFERENCES webhook_endpoints (id) ON DELETE CASCADE,
      event_type text,
      -- JSON of URL and headers that were named once; null: the endpoint's.
      target encrypted_text,
      body encrypted_text NOT NULL,
      signed boolean NOT NULL,
      task_id text NOT NULL,
      status text NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'delivered', 'failed', 'cancelled')),
      attempts integer NOT NULL DEFAULT 0,
      last_status_code integer,
      created_at timestamptz NOT NULL DEFAULT now(),
      ended_at timestamptz,
      CONSTRAINT to_somewhere CHECK ((endpoint_id IS NULL) = (target IS NOT NULL)),
      CONSTRAINT ended CHECK ((status = 'pending') = (ended_at IS NULL))
    )`
  yield* sql`CREATE INDEX webhook_deliveries_by_organization ON webhook_deliveries (organization_id, created_at DESC, id DESC)`
  yield* sql`CREATE INDEX webhook_deliveries_by_endpoint ON webhook_deliveries (endpoint_id, created_at DESC, id DESC)`
  yield* sql`CREATE INDEX webhook_deliveries_by_user ON webhook_deliveries (user_id)`
  yield* sql`CREATE INDEX webhook_deliveries_ended ON webhook_deliveries (ended_at) WHERE ended_at IS NOT NULL`

  yield* sql`
    CREATE TABLE webhook_attempts (
      id uuid PRIMARY KEY,
      delivery_id uuid NOT NULL REFERENCES webhook_deliveries (id) ON DELETE CASCADE,
      task_id text NOT NULL,
      attempt integer NOT NULL,
      at timestamptz NOT NULL DEFAULT now(),
      duration_ms integer NOT NULL,
      status_code integer,
      -- JSON: heads of request and response, the beginning of the body, the error.
      record encrypted_text NOT NULL
    )`
  yield* sql`CREATE INDEX webhook_attempts_by_delivery ON webhook_attempts (delivery_id, at)`
})

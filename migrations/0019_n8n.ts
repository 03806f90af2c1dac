/** Connections of organizations to n8n (docs/decisions/0034). */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"

export default Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient

  yield* sql`
    CREATE TABLE n8n_connections (
      id uuid PRIMARY KEY,
      organization_id uuid NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
      name varchar(100) NOT NULL,
      base_url varchar(500) NOT NULL,
      -- JSON of how n8n knows us, passwords and keys included.
      auth encrypted_text NOT NULL,
      timeout_seconds integer NOT NULL CHECK (timeout_seconds BETWEEN 1 AND 240),
      last_success_at timestamptz,
      last_failure_at timestamptz,
      last_task_id text,
      created_at timestamptz NOT NULL DEFAULT now(),
      updated_at timestamptz NOT NULL DEFAULT now(),
      CONSTRAINT connection_of_organization UNIQUE (id, organization_id)
    )`
  yield* sql`CREATE INDEX n8n_connections_by_organization ON n8n_connections (organization_id, created_at DESC, id DESC)`

  // A sync type leads to one workflow of an organization.
  yield* sql`
    CREATE TABLE n8n_sync_types (
      organization_id uuid NOT NULL,
      sync_type varchar(63) NOT NULL,
      connection_id uuid NOT NULL,
      path text NOT NULL,
      -- Null: the data as they are.
      mapping jsonb,
      position smallint NOT NULL,
      PRIMARY KEY (organization_id, sync_type),
      FOREIGN KEY (connection_id, organization_id) REFERENCES n8n_connections (id, organization_id) ON DELETE CASCADE
    )`
  yield* sql`CREATE INDEX n8n_sync_types_by_connection ON n8n_sync_types (connection_id)`
})

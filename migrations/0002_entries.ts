/**
 * Projects, tags and log entries (seed 004). Descriptions are encrypted by the application (FieldCipher).
 */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"

export default Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient

  yield* sql`
    CREATE TABLE projects (
      id uuid PRIMARY KEY,
      organization_id uuid NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
      name varchar(200) NOT NULL,
      description text,
      status text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'completed', 'on_hold', 'cancelled')),
      start_date date,
      end_date date,
      created_by uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
      created_at timestamptz NOT NULL DEFAULT now(),
      updated_at timestamptz NOT NULL DEFAULT now(),
      CONSTRAINT valid_date_range CHECK (end_date >= start_date)
    )
  `
  yield* sql`CREATE INDEX projects_by_creator ON projects (created_by, created_at DESC, id DESC)`
  yield* sql`CREATE INDEX projects_by_organization ON projects (organization_id)`

  yield* sql`
    CREATE TYPE activity_type AS ENUM
      ('meeting', 'code', 'debug', 'docs', 'mentoring', 'review', 'planning', 'learning', 'ops', 'admin')
  `
  yield* sql`CREATE TYPE value_rating AS ENUM ('low', 'medium', 'high')`
  yield* sql`CREATE TYPE impact_level AS ENUM ('personal', 'team', 'product', 'company')`

  yield* sql`
    CREATE TABLE log_entries (
      id uuid PRIMARY KEY,
      user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
      project_id uuid REFERENCES projects (id) ON DELETE SET NULL,
      title varchar(200) NOT NULL,
      description text,
      type activity_type NOT NULL,
      start_time timestamptz NOT NULL,
      end_time timestamptz NOT NULL,
      duration_minutes integer NOT NULL GENERATED ALWAYS AS (EXTRACT(EPOCH FROM (end_time - start_time)) / 60) STORED,
      value_rating value_rating NOT NULL DEFAULT 'medium',
      impact_level impact_level NOT NULL DEFAULT 'personal',
      created_at timestamptz NOT NULL DEFAULT now(),
      updated_at timestamptz NOT NULL DEFAULT now(),
      CONSTRAINT valid_time_range CHECK (end_time > start_time)
    )
  `
  // Every list is one user's, newest first; the filters narrow it further.
  yield* sql`CREATE INDEX log_entries_by_user ON log_entries (user_id, start_time DESC, id DESC)`
  yield* sql`CREATE INDEX log_entries_by_user_and_type ON log_entries (user_id, type, start_time DESC, id DESC)`
  yield* sql`CREATE INDEX log_entries_by_project ON log_entries (project_id, start_time DESC, id DESC)`

  // A tag without a user is predefined: shared by all, changed by nobody.
  yield* sql`
    CREATE TABLE tags (
      id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
      user_id uuid REFERENCES users (id) ON DELETE CASCADE,
      name varchar(50) NOT NULL,
      category varchar(50),
      color varchar(7) CHECK (color ~ '^#[0-9a-f]{6}$'),
      created_at timestamptz NOT NULL DEFAULT now(),
      CONSTRAINT normalized_name CHECK (name <> '')
    )
  `
  yield* sql`CREATE UNIQUE INDEX tags_by_user ON tags (user_id, name) WHERE user_id IS NOT NULL`
  yield* sql`CREATE UNIQUE INDEX tags_predefined ON tags (name) WHERE user_id IS NULL`

  yield* sql`
    CREATE TABLE log_entry_tags (
      log_entry_id uuid NOT NULL REFERENCES log_entries (id) ON DELETE CASCADE,
      tag_id uuid NOT NULL REFERENCES tags (id) ON DELETE CASCADE,
      -- Place in the entry's list, from 1.
      position smallint NOT NULL CHECK (position >= 1),
      PRIMARY KEY (log_entry_id, tag_id)
    )
  `
  yield* sql`CREATE INDEX log_entry_tags_by_tag ON log_entry_tags (tag_id)`

  // Seed 004, "Predefined Tag Categories".
  yield* sql`
    INSERT INTO tags (category, name)
    SELECT category, unnest(names) FROM (VALUES
      ('priority', ARRAY['p0-critical', 'p1-high', 'p2-medium', 'p3-low']),
      ('technology', ARRAY['api-design', 'database', 'backend', 'devops']),
      ('activity-focus', ARRAY['bug-fix', 'feature', 'refactor', 'performance', 'security', 'testing']),
      ('collaboration', ARRAY['junior-dev', 'cross-team', 'external-stakeholder', 'solo-work']),
      ('skills', ARRAY['leadership', 'technical-design', 'problem-solving', 'communication'])
    ) AS predefined (category, names)
  `
})

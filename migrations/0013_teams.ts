/**
 * Teams, on the organizations there are; what a member shares with them; projects with a colour, an archive and a default one
 * for each user; goals (docs/decisions/0027).
 */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"

export default Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient

  // A team is an organization that is nobody's personal one. An owner is the owner of a personal one.
  yield* sql`ALTER TABLE organizations ADD COLUMN description encrypted_text`
  yield* sql`ALTER TABLE organization_members DROP CONSTRAINT organization_members_role_check`
  yield* sql`
    ALTER TABLE organization_members ADD CONSTRAINT known_role CHECK (role IN ('owner', 'admin', 'lead', 'member'))`
  yield* sql`
    UPDATE organization_members m SET role = 'admin' FROM organizations o
    WHERE o.id = m.organization_id AND o.personal_of IS NULL AND m.role = 'owner'`

  // One for each address and team. Whoever accepts it removes it: that decides between two at the same moment.
  yield* sql`
    CREATE TABLE team_invitations (
      id uuid PRIMARY KEY,
      organization_id uuid NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
      email encrypted_text NOT NULL,
      -- Keyed, of the normalized address: finds it again without telling it.
      email_digest bytea NOT NULL,
      role text NOT NULL CHECK (role IN ('admin', 'lead', 'member')),
      token_hash bytea NOT NULL UNIQUE,
      invited_by uuid REFERENCES users (id) ON DELETE SET NULL,
      created_at timestamptz NOT NULL DEFAULT now(),
      expires_at timestamptz NOT NULL,
      CONSTRAINT one_per_address UNIQUE (organization_id, email_digest)
    )`
  yield* sql`CREATE INDEX team_invitations_by_team ON team_invitations (organization_id, created_at DESC, id DESC)`
  yield* sql`CREATE INDEX team_invitations_by_inviter ON team_invitations (invited_by)`
  yield* sql`CREATE INDEX team_invitations_by_expiry ON team_invitations (expires_at)`

  yield* sql`ALTER TABLE projects ADD COLUMN color varchar(7) CHECK (color ~ '^#[0-9a-f]{6}$')`
  yield* sql`ALTER TABLE projects ADD COLUMN archived_at timestamptz`
  // What belongs to a project of a team can say so in a foreign key.
  yield* sql`ALTER TABLE projects ADD CONSTRAINT project_of_organization UNIQUE (id, organization_id)`
  yield* sql`DROP INDEX projects_by_organization`
  yield* sql`CREATE INDEX projects_by_organization ON projects (organization_id, created_at DESC, id DESC)`

  yield* sql`
    CREATE TABLE default_projects (
      user_id uuid PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
      project_id uuid NOT NULL REFERENCES projects (id) ON DELETE CASCADE
    )`
  yield* sql`CREATE INDEX default_projects_by_project ON default_projects (project_id)`

  // Without a row nothing is shared. Whoever leaves the team shares nothing any more.
  yield* sql`
    CREATE TABLE project_shares (
      project_id uuid NOT NULL,
      organization_id uuid NOT NULL,
      user_id uuid NOT NULL,
      level text NOT NULL CHECK (level IN ('figures', 'entries')),
      -- Entries that start earlier are not shared; null: all are.
      since timestamptz,
      PRIMARY KEY (project_id, user_id),
      FOREIGN KEY (project_id, organization_id) REFERENCES projects (id, organization_id) ON DELETE CASCADE,
      FOREIGN KEY (organization_id, user_id) REFERENCES organization_members (organization_id, user_id) ON DELETE CASCADE
    )`
  yield* sql`CREATE INDEX project_shares_by_member ON project_shares (organization_id, user_id)`

  yield* sql`
    CREATE TABLE goals (
      id uuid PRIMARY KEY,
      user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
      title encrypted_text NOT NULL,
      description encrypted_text,
      measure text NOT NULL CHECK (measure IN ('hours', 'entries')),
      target numeric(10, 2) NOT NULL CHECK (target > 0),
      -- Local days of the user, both inclusive.
      start_date date NOT NULL,
      end_date date NOT NULL,
      -- Null: entries of any type count.
      activity_types activity_type[],
      -- False: entries with one of goal_tags count, and none where those are gone. Likewise the projects.
      any_tag boolean NOT NULL,
      any_project boolean NOT NULL,
      created_at timestamptz NOT NULL DEFAULT now(),
      updated_at timestamptz NOT NULL DEFAULT now(),
      CONSTRAINT valid_period CHECK (end_date >= start_date)
    )`
  yield* sql`CREATE INDEX goals_by_user ON goals (user_id, created_at DESC, id DESC)`
  yield* sql`
    CREATE TABLE goal_tags (
      goal_id uuid NOT NULL REFERENCES goals (id) ON DELETE CASCADE,
      tag_id uuid NOT NULL REFERENCES tags (id) ON DELETE CASCADE,
      PRIMARY KEY (goal_id, tag_id)
    )`
  yield* sql`CREATE INDEX goal_tags_by_tag ON goal_tags (tag_id)`
  yield* sql`
    CREATE TABLE goal_projects (
      goal_id uuid NOT NULL REFERENCES goals (id) ON DELETE CASCADE,
      project_id uuid NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
      PRIMARY KEY (goal_id, project_id)
    )`
  yield* sql`CREATE INDEX goal_projects_by_project ON goal_projects (project_id)`
})

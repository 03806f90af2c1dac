/**
 * Somebody with an account (seed 004, "Users and Authentication"). Every user has a personal organization from the start.
 */
import { Schema } from "effect"
import { OrganizationId, UserId } from "../Ids.ts"

export class User extends Schema.Class<User>("User")({
  id: UserId,
  email: Schema.String,
  first_name: Schema.String,
  last_name: Schema.String,
  /** IANA zone. */
  timezone: Schema.String,
  /** The personal organization. */
  organization_id: OrganizationId,
  is_admin: Schema.Boolean,
  last_login_at: Schema.NullOr(Schema.DateTimeUtcFromString),
  created_at: Schema.DateTimeUtcFromString,
  updated_at: Schema.DateTimeUtcFromString
}) {}

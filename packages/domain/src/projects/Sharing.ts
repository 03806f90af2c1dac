/**
 * What a member shares of their entries on a team's project. Nothing, unless they say so; a description never.
 */
import { Schema } from "effect"
import { ProjectId } from "../Ids.ts"

/** `figures`: hours and counts; `entries`: besides them title, time, type, tags, value and impact of each. */
export const SharingLevel = Schema.Literals(["none", "figures", "entries"])
export type SharingLevel = typeof SharingLevel.Type

export class Sharing extends Schema.Class<Sharing>("Sharing")({
  project_id: ProjectId,
  level: SharingLevel,
  /** Entries that start earlier are not shared; null: all are, or none where the level is none. */
  since: Schema.NullOr(Schema.DateTimeUtcFromString),
  /** Changes with whatever else is shown here. */
  etag: Schema.String
}) {}

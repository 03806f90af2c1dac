/**
 * Fields that a representation shows and a request must not decide. A request may carry them, whatever their value, so
 * that what was read can be written back; they are ignored.
 */
import { Schema } from "effect"

/** One such field. */
export const ignored = Schema.optionalKey(Schema.Unknown).pipe(
  Schema.annotateKey({ readOnly: true, description: "Ignored when written." })
)

export const readOnlyFields = {
  id: ignored,
  user_id: ignored,
  created_at: ignored,
  updated_at: ignored
}

export const readOnlyEntryFields = { ...readOnlyFields, project_name: ignored, duration_minutes: ignored, etag: ignored }

export const readOnlyProjectFields = { ...readOnlyFields, organization_id: ignored, created_by: ignored, is_default: ignored, archived_at: ignored }

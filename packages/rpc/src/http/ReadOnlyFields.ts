/**
 * Fields that a representation shows and a request must not decide. A request may carry them, whatever their value, so
 * that what was read can be written back; they are ignored.
 */
import { Schema, SchemaTransformation } from "effect"

/** A typed client writes back what it read, times and all, whatever that looks like on the wire: nothing of it is sent. */
const Whatever = Schema.Unknown.pipe(
  Schema.decodeTo(Schema.Unknown, SchemaTransformation.transform({ decode: (sent: unknown) => sent, encode: (): unknown => null }))
)

/** One such field. */
export const ignored = Schema.optionalKey(Whatever).pipe(
  Schema.annotateKey({ readOnly: true, description: "Ignored when written." })
)

export const readOnlyFields = {
  id: ignored,
  user_id: ignored,
  created_at: ignored,
  updated_at: ignored
}

export const readOnlyEntryFields = { ...readOnlyFields, project_name: ignored, duration_minutes: ignored, source: ignored, source_id: ignored, etag: ignored }

export const readOnlyProjectFields = { ...readOnlyFields, organization_id: ignored, created_by: ignored, is_default: ignored, archived_at: ignored, etag: ignored }

/** Why the embedded PostgreSQL cannot be used, as a sentence that says what to do. */
import { Schema } from "effect"

export class EmbeddedPostgresError extends Schema.TaggedError<EmbeddedPostgresError>()("EmbeddedPostgresError", {
  reason: Schema.Literals(["NoBinary", "Files", "User", "Initdb", "Start"]),
  message: Schema.String,
  cause: Schema.optionalKey(Schema.Defect())
}) {}

/** Turns a failure of the file system into one about `what`, which reads as the object of "could not". */
export const filesError = (what: string) => (cause: { readonly message: string }) =>
  new EmbeddedPostgresError({
    reason: "Files",
    message: `Could not ${what}: ${cause.message}. Set DATA_DIR to a folder that this user may write to.`,
    cause
  })

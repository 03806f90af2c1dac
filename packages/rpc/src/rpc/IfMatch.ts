/** The `etag` that something must still have when it is changed; else `precondition_failed`. */
import { Schema } from "effect"

export const ifMatch = { if_match: Schema.optionalKey(Schema.String) }

/** Why the demo did not come to its end: a sentence without its full stop. */
import { Schema } from "effect"

export class DemoError extends Schema.TaggedError<DemoError>()("DemoError", { message: Schema.String }) {}

/** The command line makes no sense: exit code 2. */
export class UsageError extends Schema.TaggedError<UsageError>()("UsageError", { message: Schema.String }) {}

/** What is wrong with a command of `npm run admin`, in a sentence for whoever typed it. */
import { Schema } from "effect"

export class AdminCommandError extends Schema.TaggedError<AdminCommandError>()("AdminCommandError", {
  message: Schema.String
}) {}

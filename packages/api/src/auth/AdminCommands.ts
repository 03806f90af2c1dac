/**
 * `npm run admin -- grant EMAIL | revoke EMAIL`: an administrator is made on the server only, never by the API. It takes
 * effect within seconds, for tokens that are already out there too.
 */
import { Effect, Schema } from "effect"
import type { SqlError } from "effect/sql/SqlError"
import { UserRepo } from "./UserRepo.ts"

export class AdminCommandError extends Schema.TaggedError<AdminCommandError>()("AdminCommandError", {
  message: Schema.String
}) {}

const usage = "usage: npm run admin -- grant EMAIL | revoke EMAIL"

/** Answers the sentence to print. */
export const runAdminCommand = Effect.fn("runAdminCommand")(function*(
  args: ReadonlyArray<string>
): Effect.fn.Return<string, AdminCommandError | SqlError, UserRepo> {
  const [command, email, ...more] = args
  if ((command !== "grant" && command !== "revoke") || email === undefined || more.length > 0) {
    return yield* new AdminCommandError({ message: usage })
  }
  const users = yield* UserRepo
  const normalized = email.trim().toLowerCase()
  if (!(yield* users.setAdmin(normalized, command === "grant"))) {
    return yield* new AdminCommandError({ message: `There is no account with the address ${normalized}` })
  }
  return command === "grant" ? `${normalized} is an administrator now.` : `${normalized} is no administrator any more.`
})

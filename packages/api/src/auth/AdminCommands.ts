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

export interface AdminCommand {
  readonly email: string
  readonly is_admin: boolean
}

export const parseAdminCommand = (args: ReadonlyArray<string>): Effect.Effect<AdminCommand, AdminCommandError> => {
  const [command, email, ...more] = args
  return (command === "grant" || command === "revoke") && email !== undefined && more.length === 0
    ? Effect.succeed({ email: email.trim().toLowerCase(), is_admin: command === "grant" })
    : Effect.fail(new AdminCommandError({ message: usage }))
}

/** Answers the sentence to print. */
export const runAdminCommand = Effect.fn("runAdminCommand")(function*(
  { email, is_admin }: AdminCommand
): Effect.fn.Return<string, AdminCommandError | SqlError, UserRepo> {
  const users = yield* UserRepo
  if (!(yield* users.setAdmin(email, is_admin))) {
    return yield* new AdminCommandError({ message: `There is no account with the address ${email}` })
  }
  return is_admin ? `${email} is an administrator now.` : `${email} is no administrator any more.`
})

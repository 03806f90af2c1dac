/**
 * What `npm run admin` can do, on the server only and never by the API. Whoever is made an administrator is one within
 * seconds, for tokens that are already out there too.
 */
import { Clock, DateTime, Duration, Effect, Option } from "effect"
import type { SqlError } from "effect/sql/SqlError"
import { randomUUID } from "node:crypto"
import { UserRepo } from "../auth/UserRepo.ts"
import type { FieldCipherError } from "../crypto/FieldCipher.ts"
import type { KeyRotation, RotationIncomplete } from "../crypto/KeyRotation.ts"
import type { EntryWordIndex } from "../entries/EntryWordIndex.ts"
import { SecurityEventRepo, type StoredSecurityEvent } from "../security/SecurityEventRepo.ts"
import { AdminCommandError } from "./AdminCommandError.ts"
import { countKeys, rotateKeys } from "./KeyCommands.ts"
import { type OperatorCommand, operatorUsage, parseOperatorCommand } from "./OperatorArguments.ts"

const usage = `usage: npm run admin -- COMMAND
  grant EMAIL, revoke EMAIL   makes an account an administrator, or takes it back
  events [--user EMAIL] [--since 24h|7d|2026-01-31]   the audit log
  new-key                     makes a new encryption key
  rotate-keys [--dry-run]     writes all encrypted values anew with the newest key; --dry-run only counts them
${operatorUsage}`

export type AdminCommand =
  | { readonly _tag: "SetAdmin"; readonly email: string; readonly is_admin: boolean }
  | { readonly _tag: "Events"; readonly email: string | null; readonly since: Duration.Duration | DateTime.Utc }
  | { readonly _tag: "NewKey" }
  | { readonly _tag: "CountKeys" }
  | { readonly _tag: "RotateKeys" }
  | { readonly _tag: "Operator"; readonly command: OperatorCommand }

export const parseAdminCommand = Effect.fnUntraced(function*(
  args: ReadonlyArray<string>
): Effect.fn.Return<AdminCommand, AdminCommandError> {
  const [command, email, ...more] = args
  if ((command === "grant" || command === "revoke") && email !== undefined && more.length === 0) {
    return { _tag: "SetAdmin", email: normalized(email), is_admin: command === "grant" }
  }
  if (command === "events") return yield* parseEvents(args.slice(1), { _tag: "Events", email: null, since: Duration.days(7) })
  if (email === undefined && command === "new-key") return { _tag: "NewKey" }
  if (email === undefined && command === "rotate-keys") return { _tag: "RotateKeys" }
  if (email === "--dry-run" && command === "rotate-keys" && more.length === 0) return { _tag: "CountKeys" }
  const operator = parseOperatorCommand(args)
  if (operator !== undefined) return { _tag: "Operator", command: yield* operator }
  return yield* new AdminCommandError({ message: usage })
})

const parseEvents = (
  [option, value, ...more]: ReadonlyArray<string>,
  command: AdminCommand & { readonly _tag: "Events" }
): Effect.Effect<AdminCommand, AdminCommandError> => {
  if (option === undefined) return Effect.succeed(command)
  if (option === "--user" && value !== undefined) return parseEvents(more, { ...command, email: normalized(value) })
  const since = option === "--since" && value !== undefined ? parseSince(value) : undefined
  return since === undefined ? Effect.fail(new AdminCommandError({ message: usage })) : parseEvents(more, { ...command, since })
}

const parseSince = (text: string): Duration.Duration | DateTime.Utc | undefined => {
  const [, amount, unit] = /^(\d{1,6})([mhd])$/.exec(text) ?? []
  if (unit === "m") return Duration.minutes(Number(amount))
  if (unit === "h") return Duration.hours(Number(amount))
  if (unit === "d") return Duration.days(Number(amount))
  return Option.getOrUndefined(DateTime.make(text))
}

const normalized = (email: string): string => email.trim().toLowerCase()

/** Answers what is to be printed. */
export const runAdminCommand = (
  command: Exclude<AdminCommand, { readonly _tag: "NewKey" | "Operator" }>
): Effect.Effect<
  string,
  AdminCommandError | RotationIncomplete | SqlError | FieldCipherError,
  UserRepo | SecurityEventRepo | KeyRotation | EntryWordIndex
> => {
  switch (command._tag) {
    case "SetAdmin":
      return setAdmin(command)
    case "Events":
      return listEvents(command)
    case "CountKeys":
      return countKeys
    case "RotateKeys":
      return rotateKeys()
  }
}

const setAdmin = Effect.fn("AdminCommands.setAdmin")(function*({ email, is_admin }: AdminCommand & { readonly _tag: "SetAdmin" }) {
  const users = yield* UserRepo
  const events = yield* SecurityEventRepo
  const user_id = yield* users.setAdmin(email, is_admin)
  if (Option.isNone(user_id)) return yield* nobody(email)
  yield* events.insert([{
    id: randomUUID(),
    at: yield* DateTime.now,
    event: is_admin ? "admin_granted" : "admin_revoked",
    user_id: user_id.value,
    address: null,
    request_id: null,
    detail: {}
  }])
  return is_admin ? `${email} is an administrator now.` : `${email} is no administrator any more.`
})

const nobody = (email: string) => new AdminCommandError({ message: `There is no account with the address ${email}` })

/** More would scroll away; `--since` and `--user` narrow it down. */
const EVENTS_SHOWN = 1_000

const listEvents = Effect.fn("AdminCommands.listEvents")(function*({ email, since }: AdminCommand & { readonly _tag: "Events" }) {
  const events = yield* SecurityEventRepo
  const user = email === null ? Option.none() : yield* Effect.flatMap(UserRepo, (users) => users.findCredentials(email))
  if (email !== null && Option.isNone(user)) return yield* nobody(email)
  const start = DateTime.isDateTime(since)
    ? since
    : DateTime.makeUnsafe((yield* Clock.currentTimeMillis) - Duration.toMillis(since))
  const found = yield* events.list({ since: start, user_id: Option.isNone(user) ? null : user.value.id, limit: EVENTS_SHOWN })
  return found.length === 0 ? `No security events since ${DateTime.formatIso(start)}.` : found.map(toLine).join("\n")
})

const toLine = ({ address, at, detail, event, request_id, user_id }: StoredSecurityEvent): string =>
  [
    DateTime.formatIso(at),
    event,
    `user=${user_id ?? "-"}`,
    `address=${address ?? "-"}`,
    `request=${request_id ?? "-"}`,
    ...Object.entries(detail).map(([key, value]) => `${key}=${value}`)
  ].join(" ")

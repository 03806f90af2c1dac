/** People who use EngLog over REST, each with a token of their own. */
import { DateTime, Effect } from "effect"
import { type Answer, entry, register, TestApi } from "../http/TestApi.ts"

export const member = Effect.fnUntraced(function*(email: string, more: Record<string, unknown> = {}) {
  const { ask } = yield* TestApi
  const { id, token } = yield* register(email, more)
  const post = (path: string, body?: unknown) => ask("POST", path, { token, ...body === undefined ? {} : { body } })
  /** What has to be created; answers its id. */
  const made = Effect.fnUntraced(function*(path: string, body: unknown) {
    const answer = yield* post(path, body)
    if (answer.status !== 201) return yield* Effect.die(new Error(`${path} answered ${answer.status}: ${answer.text}`))
    return String(answer.at("id"))
  })
  return {
    id,
    email,
    token,
    post,
    made,
    get: (path: string) => ask("GET", path, { token }),
    put: (path: string, body?: unknown) => ask("PUT", path, { token, ...body === undefined ? {} : { body } }),
    remove: (path: string) => ask("DELETE", path, { token }),
    project: (body: Record<string, unknown> = {}) => made("/v1/projects", { name: "P", ...body }),
    team: (body: Record<string, unknown> = {}) => made("/v1/teams", { name: "T", ...body }),
    /** An entry that starts at the instant and lasts so many minutes. */
    at: (start_time: string, minutes = 30, body: Record<string, unknown> = {}) =>
      made("/v1/logs", { ...entry, start_time, end_time: DateTime.formatIso(DateTime.add(DateTime.makeUnsafe(start_time), { minutes })), ...body })
  }
})

export type Member = Effect.Success<ReturnType<typeof member>>

/** Joins the team as one whom the admin invited. */
export const joins = Effect.fnUntraced(function*(who: Member, admin: Member, team: string, role = "member") {
  const invitation = yield* admin.post(`/v1/teams/${team}/invitations`, { email: who.email, role })
  const joined = yield* who.post("/v1/invitations/accept", { token: invitation.at("token") })
  if (joined.status !== 200) return yield* Effect.die(new Error(`accept answered ${joined.status}: ${joined.text}; ${invitation.text}`))
})

/** One field of every item of a list. */
export const each = (answer: Answer, field: string): ReadonlyArray<unknown> => {
  const items = answer.at("items")
  return Array.isArray(items) ? items.map((_, index) => answer.at("items", index, field)) : []
}

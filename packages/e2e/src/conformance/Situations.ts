/**
 * What has to be so before a documented request can be answered as documented: who sends it, what it is about where that is not what
 * earlier answers told, and what of its example depends on the day or was told in secret.
 */
import { children, type Json } from "@englog/rpc/http/JsonTree"
import { DateTime, Effect, Schedule } from "effect"
import type { HttpClient, HttpClientError, HttpMethod } from "effect/http"
import type { Catcher } from "../MailCatcher.ts"
import { ask, password } from "../Person.ts"

export interface Situation {
  /** Of whoever sends it. */
  readonly token?: string
  readonly variables?: Readonly<Record<string, string>>
  /** Fields of the body instead of those of the example. */
  readonly fields?: Readonly<Record<string, unknown>>
}

export interface Prepared {
  /** Operations that have to be answered before. */
  readonly after?: ReadonlyArray<string>
  /** With its optional parameters. */
  readonly everything?: boolean
  readonly situation?: Effect.Effect<Situation, HttpClientError.HttpClientError, HttpClient.HttpClient>
}

export interface Surroundings {
  readonly url: string
  /** Where nobody listens. */
  readonly deadUrl: string
  readonly catcher: Catcher
  /** Two whose mailboxes there are not. */
  readonly unreachable: readonly [Newcomer, Newcomer]
  /** Of whoever sends what nothing else is said of. */
  readonly token: () => string
}

export type Newcomer = Effect.Success<ReturnType<typeof newcomer>>

/** Twenty seconds. */
const patience = Schedule.spaced("50 millis").pipe(Schedule.upTo({ times: 400 }))

let people = 0
let tags = 0

/** Somebody with an account of their own. */
export const newcomer = Effect.fnUntraced(function*(url: string) {
  const email = `newcomer-${++people}@example.com`
  const { body } = yield* sent(url, "POST", "/v1/auth/register", undefined, { email, password, first_name: "Eve", last_name: "New" })
  return { email, token: String(body["access_token"]), refresh: String(body["refresh_token"]) }
})

/** What must not fail. */
const sent = Effect.fnUntraced(function*(url: string, method: HttpMethod.HttpMethod, path: string, token: string | undefined, body?: unknown) {
  const answer = yield* ask(method, `${url}${path}`, { ...token === undefined ? {} : { token }, ...body === undefined ? {} : { body } })
  return answer.status < 300
    ? { ...answer, body: children(answer.text === "" ? {} : JSON.parse(answer.text)) }
    : yield* Effect.die(new Error(`${method} ${path} answered ${answer.status}: ${answer.text}`))
})

const list = (value: unknown): ReadonlyArray<Json> => Array.isArray(value) ? value.map(children) : []

export const situations = ({ catcher, deadUrl, token, unreachable: [suppressed, bounced], url }: Surroundings): Readonly<Record<string, Prepared>> => {
  const post = (path: string, body: unknown = {}, by = token()) => Effect.map(sent(url, "POST", path, by, body), (answer) => answer.body)
  const made = (path: string, body: unknown) => Effect.map(Effect.suspend(() => post(path, body)), ({ id }) => String(id))
  const tag = Effect.suspend(() => made("/v1/tags", { name: `k8s-${++tags}` }))
  const team = made("/v1/teams", { name: "Payments" })

  const invited = Effect.gen(function*() {
    const [team_id, who] = [yield* team, yield* newcomer(url)]
    const invitation = yield* post(`/v1/teams/${team_id}/invitations`, { email: who.email, role: "member" })
    return { team_id, who, token: String(invitation["token"]) }
  })
  const joined = Effect.gen(function*() {
    const { team_id, token, who } = yield* invited
    yield* post("/v1/invitations/accept", { token }, who.token)
    const { body } = yield* sent(url, "GET", "/v1/auth/me", who.token)
    return { variables: { team_id, user_id: String(body["id"]) } }
  })
  const teamProject = Effect.gen(function*() {
    const team_id = yield* team
    return { team_id, project_id: yield* made("/v1/projects", { name: "Shared", team_id }) }
  })
  const shared = Effect.gen(function*() {
    const variables = yield* teamProject
    yield* sent(url, "PUT", `/v1/projects/${variables.project_id}/sharing`, token(), { level: "entries", since: null })
    yield* post("/v1/logs", { title: "Plan", type: "meeting", project_id: variables.project_id, start_time: "2026-01-05T09:00:00Z", end_time: "2026-01-05T10:00:00Z" })
    return { variables }
  })
  const undelivered = Effect.gen(function*() {
    const { delivery_id, task_id } = yield* post("/api/background/tasks/webhook-delivery", { webhook_url: deadUrl, data: {}, retry_policy: { max_retries: 0 } })
    yield* sent(url, "GET", `/v1/tasks/${String(task_id)}`, token()).pipe(
      Effect.repeat({ until: ({ body }) => body["state"] === "failed", schedule: patience })
    )
    return { variables: { webhook_delivery_id: String(delivery_id), dead_letter_id: String(task_id) } }
  })
  const waiting = Effect.gen(function*() {
    const { task_id } = yield* post("/api/background/tasks", { task_type: "data_analysis", payload: {}, delay: 3_600 })
    return { variables: { task_id: String(task_id) } }
  })
  /** Nothing of it has arrived. */
  const begunUpload = Effect.gen(function*() {
    const { text } = yield* ask("POST", `${url}/api/background/documents/uploads`, {
      token: token(),
      raw: { type: "text/markdown", text: "" },
      headers: { "upload-complete": "?0" }
    })
    return String(children(JSON.parse(text))["upload_id"])
  })
  const asNewcomer = Effect.map(newcomer(url), ({ email, refresh, token }) => ({ token, variables: { email, refresh_token: refresh } }))
  const otherSession = Effect.gen(function*() {
    const { email, token } = yield* newcomer(url)
    yield* post("/v1/auth/login", { email, password })
    const { body } = yield* sent(url, "GET", "/v1/users/sessions", token)
    const other = list(body["items"]).find(({ current }) => current === false)
    return { token, variables: { session_id: String(other?.["id"]) } }
  })
  const confirming = Effect.gen(function*() {
    const { email, token } = yield* newcomer(url)
    const changed = `changed-${email}`
    yield* sent(url, "PUT", "/v1/users/email", token, { email: changed, password })
    const { mail } = yield* catcher.next.pipe(Effect.repeat({ until: ({ to }) => to.includes(changed) }))
    return { token, fields: { token: /^\s*([\w-]{20,})\s*$/m.exec(mail.text ?? "")?.[1] ?? `none in: ${mail.text}` } }
  })

  return {
    "auth.logout": { situation: asNewcomer },
    "account.requestEmailChange": { situation: Effect.succeed({ variables: { email: "ada.lovelace@example.com" } }) },
    "account.confirmEmailChange": { situation: confirming },
    "account.changePassword": { situation: asNewcomer },
    "account.revokeSession": { situation: otherSession },
    "account.scheduleDeletion": {
      situation: Effect.map(DateTime.now, (now) => ({ fields: { delete_after: DateTime.formatIso(DateTime.add(now, { days: 30 })) } }))
    },
    "account.anonymize": { situation: asNewcomer },
    "account.remove": { situation: asNewcomer },
    "projects.share": { situation: Effect.map(teamProject, (variables) => ({ variables })) },
    "projects.remove": { after: ["projects.endDefault"] },
    "analytics.teamDaily": { situation: shared },
    "tags.merge": { situation: Effect.map(Effect.all([tag, tag]), ([tag_id, into]) => ({ variables: { tag_id }, fields: { into } })) },
    "teams.remove": { situation: Effect.map(team, (team_id) => ({ variables: { team_id } })) },
    "teams.setRole": { situation: joined },
    "teams.removeMember": { situation: joined },
    "teams.invite": { situation: Effect.succeed({ variables: { email: "invited@example.com" } }) },
    "teams.accept": { situation: Effect.map(invited, ({ token, who }) => ({ token: who.token, fields: { token } })) },
    "teams.decline": { situation: Effect.map(invited, ({ token, who }) => ({ token: who.token, fields: { token } })) },
    "teams.entries": { situation: shared },
    "teams.stats": { situation: shared },
    "tasks.cancel": { situation: waiting },
    "background.cancel": { situation: waiting },
    "documents.search": { after: ["documents.process"] },
    "documents.list": { after: ["documents.process"] },
    "webhooks.listDeliveries": { situation: Effect.as(undelivered, {}) },
    "webhooks.redeliver": { situation: undelivered },
    "webhooks.redeliverRange": { situation: Effect.as(undelivered, {}) },
    "deadLetters.list": { situation: Effect.as(undelivered, {}) },
    "deadLetters.replayAll": { situation: Effect.as(undelivered, {}) },
    "deadLetters.replay": { situation: undelivered },
    "uploads.resumeUpload": { situation: Effect.map(begunUpload, (upload_id) => ({ variables: { upload_id } })) },
    // Of the days that the example is about.
    "inbox.read": { everything: true },
    "entries.list": { after: ["entries.create"] },
    "queues.weights": { after: ["queues.weigh"] },
    "integrations.syncWithN8n": { after: ["n8n.create"] },
    "imports.account": { situation: asNewcomer },
    "mail.suppressions": { situation: Effect.succeed({ token: suppressed.token }) },
    "mail.removeSuppression": { situation: Effect.succeed({ token: suppressed.token }) },
    "mail.resend": {
      situation: Effect.gen(function*() {
        const { body } = yield* sent(url, "GET", "/v1/mail/deliveries", bounced.token).pipe(
          Effect.repeat({ until: ({ text }) => text.includes("\"bounced\""), schedule: patience })
        )
        return { token: bounced.token, variables: { delivery_id: String(list(body["items"])[0]?.["id"]) } }
      })
    }
  }
}

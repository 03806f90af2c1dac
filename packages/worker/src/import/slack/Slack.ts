/**
 * Somebody's status on Slack: https://docs.slack.dev/reference/methods/users.profile.get. Slack knows the present one only, and not since when: it is
 * proposed as something of today, which needs times. It is one answer; there are no pages of it.
 */
import type { ImportedItem } from "@englog/domain/imports/ImportedItem"
import { addDays, localDayOf, startOfLocalDay } from "@englog/domain/users/LocalDays"
import { DateTime, Effect, Schema, Stream } from "effect"
import { TaskFailure } from "../../handlers/TaskHandler.ts"
import { GuardedFetch } from "../../web/GuardedFetch.ts"
import { digestOf } from "../calendar/CalendarData.ts"
import * as ImportSource from "../ImportSource.ts"
import { tagsOf, titleOf } from "../ImportText.ts"
import * as JsonApi from "../JsonApi.ts"
import { suggestType } from "../SuggestType.ts"

export const slack = Effect.map(GuardedFetch, ({ fetch }) =>
  ImportSource.make("slack", ({ base_url, token }, { resume, timezone }, timeLeft) =>
    Stream.unwrap(Effect.gen(function*() {
      const api = JsonApi.make({ fetch, name: "Slack", headers: { accept: "application/json", authorization: `Bearer ${token}` }, timeLeft })
      const base = base_url.replace(/\/+$/, "")
      const who = yield* answered(api, `${base}/auth.test`, Who)
      const { profile } = yield* answered(api, `${base}/users.profile.get`, Answer)
      const today = localDayOf(yield* DateTime.now, timezone)
      return ImportSource.paged({ items: itemOf(profile, who, today, timezone), problems: [], skipped: 0 }, resume)
    }))))

const Who = Schema.Struct({ ok: Schema.Literal(true), user_id: Schema.String, team_id: Schema.String })

const Profile = Schema.Struct({
  status_text: Schema.optionalKey(Schema.NullOr(Schema.String)),
  status_emoji: Schema.optionalKey(Schema.NullOr(Schema.String))
})

const Answer = Schema.Struct({ ok: Schema.Literal(true), profile: Profile })

const Refusal = Schema.Struct({ ok: Schema.Literal(false), error: Schema.String })

/** What Slack refuses, it answers with 200 and `ok: false`. */
const answered = Effect.fnUntraced(function*<A, I>(api: JsonApi.JsonApi, url: string, schema: Schema.Codec<A, I>) {
  const { body } = yield* Effect.catchTags(api.get(url, Schema.Union([schema, Refusal])), {
    Refused: ({ status }) => new TaskFailure({ message: `Slack answered ${status}`, retryable: false }),
    Limited: ({ until }) => new TaskFailure({
      message: `Slack's rate limit is used up: nothing was read; import again from ${DateTime.formatIso(until)} on`,
      retryable: false
    })
  })
  return isRefusal(body) ? yield* failureOf(body.error) : body
})

const isRefusal = Schema.is(Refusal)

const failureOf = (error: string): TaskFailure => {
  const known = sentences.find(([pattern]) => pattern.test(error))?.[1]
  return new TaskFailure({
    message: known ?? `Slack answered ${/^[a-z_]{1,60}$/.test(error) ? error : "with an error"}`,
    retryable: /^(internal_error|fatal_error|service_unavailable|request_timeout|ratelimited)$/.test(error)
  })
}

const sentences: ReadonlyArray<readonly [RegExp, string]> = [
  [/^(invalid_auth|not_authed)$/, "token: Slack does not accept it"],
  [/^(token_revoked|token_expired)$/, "token: it is expired or revoked"],
  [/^account_inactive$/, "token: its user or workspace is gone"],
  [/^(missing_scope|no_permission)$/, "token: it lacks the scope users.profile:read"],
  [/^(not_allowed_token_type|user_not_found)$/, "token: it belongs to no person; a user token is needed"],
  [/^(access_denied|ekm_access_denied|enterprise_is_restricted|team_access_not_granted|org_login_required)$/, "token: the workspace does not let it read your profile"]
]

const itemOf = (profile: typeof Profile.Type, who: typeof Who.Type, day: string, timezone: string): ReadonlyArray<ImportedItem> => {
  const text = (profile.status_text ?? "").trim()
  const emoji = (profile.status_emoji ?? "").trim()
  const status = text === "" ? emoji : text
  return status === "" ? [] : [{
    source: "slack",
    external_id: digestOf([who.team_id, who.user_id, text, emoji]),
    occurrence: day,
    removed: false,
    title: titleOf(status),
    description: null,
    start_time: startOfLocalDay(day, timezone),
    end_time: startOfLocalDay(addDays(day, 1), timezone),
    all_day: true,
    type: suggestType(status, "meeting"),
    impact_level: "team",
    tags: tagsOf(["slack-status"]),
    project: null
  }]
}

import { assert, describe, it } from "@effect/vitest"
import { slack } from "@englog/worker/import/slack/Slack"
import { DateTime, Duration, Effect, Stream } from "effect"
import { type Asked, faultsFirst, jsonServer, openFetch, type Reply } from "../support/JsonServer.ts"
import { jobOf, readBy } from "./read.ts"

const jobAt = (base: string) => jobOf({ source: "slack", base_url: `${base}/api`, token: "s3cret" }, { period: null })
const read = (base: string) => openFetch(readBy(slack, jobAt(base)))

const documented = (profile: Record<string, unknown>) => ({ headers, url }: Asked): Reply =>
  headers.authorization !== "Bearer s3cret"
    ? { body: { ok: false, error: "invalid_auth" } }
    : url.pathname === "/api/auth.test"
    ? { body: { ok: true, user_id: "U1", team_id: "T1" } }
    : url.pathname === "/api/users.profile.get"
    ? { body: { ok: true, profile } }
    : { body: { ok: false, error: "unknown_method" } }

const status = { status_text: "Sprint planning", status_emoji: ":spiral_calendar_pad:", status_expiration: 0 }

describe("Slack", () => {
  it.live("gives the present status as something of the local day, the same each time", () => Effect.scoped(Effect.gen(function*() {
    const { base } = yield* jsonServer(faultsFirst([{ status: 500 }, { body: { ok: true }, cutOff: true }, { status: 429, headers: { "retry-after": "0" } }], documented(status)))
    const { items } = yield* read(base)
    assert.lengthOf(items, 1)
    const [item] = items
    assert.deepInclude(item, { source: "slack", title: "Sprint planning", type: "planning", all_day: true, tags: ["slack-status"] })
    const now = yield* DateTime.now
    assert.isTrue(item !== undefined && DateTime.isLessThan(item.start_time, now) && DateTime.isGreaterThan(item.end_time, DateTime.subtract(now, { minutes: 5 })))
    assert.deepStrictEqual((yield* read(base)).items, items)
  })))

  it.live("gives a status of an emoji only, and nothing where there is none", () => Effect.scoped(Effect.gen(function*() {
    const emoji = yield* jsonServer(documented({ status_text: "", status_emoji: ":palm_tree:" }))
    assert.deepStrictEqual((yield* read(emoji.base)).items.map(({ title }) => title), [":palm_tree:"])
    const none = yield* jsonServer(documented({ status_text: "", status_emoji: "" }))
    assert.deepStrictEqual((yield* read(none.base)).items, [])
  })))

  it.live("says what is wrong with a token", () => Effect.scoped(Effect.gen(function*() {
    const failing = (answer: (asked: Asked) => Reply) =>
      Effect.flatMap(jsonServer(answer), ({ base }) => Effect.map(Effect.flip(read(base)), ({ message, retryable }) => ({ message, retryable })))
    const errors = [
      ["invalid_auth", "token: Slack does not accept it", false],
      ["token_revoked", "token: it is expired or revoked", false],
      ["missing_scope", "token: it lacks the scope users.profile:read", false],
      ["account_inactive", "token: its user or workspace is gone", false],
      ["not_allowed_token_type", "token: it belongs to no person; a user token is needed", false],
      ["something_new", "Slack answered something_new", false],
      ["internal_error", "Slack answered internal_error", true]
    ] as const
    for (const [error, message, retryable] of errors) assert.deepStrictEqual(yield* failing(() => ({ body: { ok: false, error } })), { message, retryable })
  })))

  it.live("limits until after the deadline: when to come again is told", () => Effect.scoped(Effect.gen(function*() {
    const { base } = yield* jsonServer(() => ({ status: 429, headers: { "retry-after": "3600" } }))
    const source = yield* openFetch(slack)
    const { message } = yield* Effect.flip(Stream.runDrain(source.read(jobAt(base), Effect.succeed(Duration.minutes(5)))))
    assert.match(message, /^Slack's rate limit is used up: nothing was read; import again from 20[\dT:.-]+Z on$/)
  })))
})

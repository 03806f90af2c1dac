/** Notifications for people: to send some, to list one's own, to follow them, to mark them read. */
import type { NotificationId, TaskId } from "@englog/domain/Ids"
import type { ChannelName, Notification } from "@englog/domain/notifications/Notification"
import { type Audience, Notification as NotificationKind } from "@englog/domain/tasks/Notification"
import type { CurrentUser } from "@englog/rpc/http/Authorization"
import { BadRequest, type Conflict, Forbidden, NotFound, type TooManyRequests } from "@englog/rpc/http/HttpErrors"
import type { NotificationPage, NotificationQuery, NotificationRequest } from "@englog/rpc/http/NotificationsApi"
import { defaultPageSize } from "@englog/rpc/http/Page"
import { Context, Duration, Effect, Layer, Option, Queue, Ref, Schedule, Stream } from "effect"
import type { SqlError } from "effect/sql/SqlError"
import { outageOf } from "../db/Outage.ts"
import { OpenStreams, type StreamCut } from "../http/OpenStreams.ts"
import { TaskQueue } from "../queue/TaskQueue.ts"
import { Wakeups } from "../queue/Wakeups.ts"
import { type RateLimit, RateLimits } from "../security/RateLimits.ts"
import { TaskAccess } from "../tasks/TaskAccess.ts"
import { orConflict, orTooMany } from "../tasks/SubmissionProblem.ts"
import { NotificationRepo } from "./NotificationRepo.ts"

type Caller = CurrentUser["Service"]

const toTeam: RateLimit = { name: "notifications_to_team", limit: 20, window: Duration.hours(1) }
const toTeamByMail: RateLimit = { name: "notifications_to_team_by_mail", limit: 5, window: Duration.days(1) }

/** Read at once by a stream. */
const PAGE = 200
/** The safety net under the wake-ups. */
const POLL = "10 seconds"
/** Between two looks while the database is away. */
const RETRY = "1 second"

export class Notifications extends Context.Service<Notifications, {
  readonly send: (caller: Caller, request: NotificationRequest) => Effect.Effect<TaskId, BadRequest | Conflict | Forbidden | NotFound | TooManyRequests | SqlError>
  readonly list: (caller: Caller, query: NotificationQuery) => Effect.Effect<typeof NotificationPage.Type, SqlError>
  readonly setRead: (caller: Caller, id: NotificationId, read: boolean) => Effect.Effect<Notification, NotFound | SqlError>
  /** All that there are; answers how many were unread. */
  readonly readAll: (caller: Caller) => Effect.Effect<number, SqlError>
  /** Those after number `after`, then each as it comes, until the stream is cut. */
  readonly follow: (caller: Caller, after: number) => Stream.Stream<Notification, SqlError | StreamCut>
}>()("@englog/api/notifications/Notifications") {
  static readonly layer = Layer.effect(
    Notifications,
    Effect.gen(function*() {
      const repo = yield* NotificationRepo
      const queue = yield* TaskQueue
      const wakeups = yield* Wakeups
      const streams = yield* OpenStreams
      const access = yield* TaskAccess
      const limits = yield* RateLimits

      /** Everybody may tell themselves something, who leads an organization its members, and an administrator everybody. */
      const audienceOf = Effect.fnUntraced(function*(caller: Caller, { everybody, organization_id }: NotificationRequest): Effect.fn.Return<Audience, Forbidden | SqlError> {
        if (everybody === true) {
          return caller.is_admin ? { everybody: true } : yield* new Forbidden({ error: "everybody: only administrators may tell everybody" })
        }
        if (organization_id === undefined || organization_id === caller.organization_id) return { user_id: caller.id }
        if (yield* repo.leads(caller.id, organization_id)) return { organization_id }
        return yield* new Forbidden({ error: "organization_id: only those who lead it may tell its members" })
      })

      /** What leaves EngLog is for oneself, or for the administrators of a team to decide. */
      const checkChannels = Effect.fnUntraced(function*(caller: Caller, audience: Audience, channels: ReadonlyArray<ChannelName>) {
        const [outside] = channels.filter((channel) => channel !== "in_app")
        if (outside === undefined || "user_id" in audience) return
        if ("everybody" in audience) return yield* new BadRequest({ error: `channels: ${outside} reaches yourself or a team, not everybody` })
        yield* access.administered(caller, audience.organization_id)
      })

      /** Whoever speaks for a team, its members hear no more than this. */
      const takeOf = Effect.fnUntraced(function*(audience: Audience, channels: ReadonlyArray<ChannelName>) {
        if (!("organization_id" in audience)) return
        yield* limits.take(toTeam, audience.organization_id)
        if (channels.includes("email")) yield* Effect.tapError(limits.take(toTeamByMail, audience.organization_id), () => limits.giveBack(toTeam, audience.organization_id))
      })

      const follow = (caller: Caller, after: number) =>
        Stream.unwrap(Effect.gen(function*() {
          const wake = yield* wakeups.subscribe(`notifications:${caller.id}`)
          const seen = yield* Ref.make(after)
          const next = Effect.gen(function*() {
            const found = yield* Effect.flatMap(Ref.get(seen), (seq) => repo.after(caller.id, seq, PAGE))
            const last = found.at(-1)
            if (last === undefined) yield* Effect.timeoutOption(Queue.take(wake), POLL)
            else yield* Ref.set(seen, last.seq)
            return found
          }).pipe(Effect.retry({ while: (error) => outageOf(error) !== undefined, schedule: Schedule.spaced(RETRY) }))
          return Stream.flatMap(Stream.fromEffectRepeat(next), (page) => Stream.fromIterable(page))
        }))

      return Notifications.of({
        send: Effect.fn("Notifications.send")(function*(caller, request) {
          const audience = yield* audienceOf(caller, request)
          yield* checkChannels(caller, audience, request.channels ?? [])
          yield* takeOf(audience, request.channels ?? [])
          const { body = null, category = "announcement", channels = ["in_app"], link = null, title } = request
          return yield* orConflict(orTooMany(queue.submit({
            kind: NotificationKind.kind,
            prefix: "notification",
            organization_id: "organization_id" in audience ? audience.organization_id : caller.organization_id,
            user_id: caller.id,
            payload: JSON.stringify({ audience, category, channels }),
            private_input: JSON.stringify({ title, body, link }),
            policy: NotificationKind.policy
          })))
        }),
        list: Effect.fn("Notifications.list")(function*(caller, { cursor, limit = defaultPageSize, unread = false }) {
          const found = yield* repo.list(caller.id, { unread, before: Option.fromUndefinedOr(cursor) }, limit + 1)
          const items = found.slice(0, limit)
          return { items, next_cursor: found.length > limit ? String(items.at(-1)?.seq ?? 0) : null, ...(yield* repo.counts(caller.id)) }
        }),
        setRead: Effect.fn("Notifications.setRead")(function*(caller, id, read) {
          const found = yield* repo.setRead(caller.id, id, read)
          return Option.isSome(found) ? found.value : yield* new NotFound({ error: `you have no notification ${id}` })
        }),
        readAll: Effect.fn("Notifications.readAll")(function*(caller) {
          return yield* Effect.flatMap(repo.counts(caller.id), ({ last_seq }) => repo.readUpTo(caller.id, last_seq))
        }),
        follow: (caller, after) => streams.keep(follow(caller, after))
      })
    })
  )
}

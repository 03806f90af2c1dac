/**
 * Calendar feeds: made and revoked by their owner, read by whoever knows the address. The secret in it is 256 random bits, told once;
 * the database has its SHA-256. It is written nowhere else (RouteTable keeps it out of logs and traces).
 */
import { isFinished } from "@englog/domain/entries/LogEntry"
import { MAX_FEED_ENTRIES, MAX_FEEDS } from "@englog/domain/exports/CalendarFeed"
import { FeedId } from "@englog/domain/Ids"
import type { CurrentUser } from "@englog/rpc/http/Authorization"
import { type FeedPage, type FeedPayload, NewCalendarFeed } from "@englog/rpc/http/FeedView"
import { BadRequest, Conflict, NotFound, type TooManyRequests } from "@englog/rpc/http/HttpErrors"
import { defaultPageSize } from "@englog/rpc/http/Page"
import { Context, Duration, Effect, Layer, Option } from "effect"
import type { SqlError } from "effect/sql/SqlError"
import { hash, randomBytes, randomUUID } from "node:crypto"
import { hashOf } from "../crypto/SecretHash.ts"
import { newestFirst } from "../entries/EntryOrder.ts"
import { EntryRepo, type ListedEntry } from "../entries/EntryRepo.ts"
import { filterOf } from "../entries/EntrySelection.ts"
import { decodeCursor, toPage } from "../http/Cursor.ts"
import { ProjectRepo } from "../projects/ProjectRepo.ts"
import { type RateLimit, RateLimits } from "../security/RateLimits.ts"
import { SecurityEvents } from "../security/SecurityEvents.ts"
import { calendarEvent, calendarFrame } from "./CalendarDocument.ts"
import { FeedRepo, type OwnedFeed } from "./FeedRepo.ts"

type Caller = CurrentUser["Service"]

/** What a feed reads like; `etag` changes with it. */
export interface ReadFeed {
  readonly text: string
  readonly etag: string
}

export class CalendarFeeds extends Context.Service<CalendarFeeds, {
  /** `url` of what it answers is the path. */
  readonly create: (caller: Caller, feed: FeedPayload) => Effect.Effect<NewCalendarFeed, BadRequest | Conflict | SqlError>
  readonly list: (
    caller: Caller,
    page: { readonly cursor?: string; readonly limit?: number }
  ) => Effect.Effect<typeof FeedPage.Type, BadRequest | SqlError>
  readonly revoke: (caller: Caller, id: FeedId) => Effect.Effect<void, NotFound | SqlError>
  readonly read: (secret: string) => Effect.Effect<ReadFeed, NotFound | TooManyRequests | SqlError>
}>()("@englog/api/exports/CalendarFeeds") {
  static readonly layer = Layer.effect(
    CalendarFeeds,
    Effect.gen(function*() {
      const feeds = yield* FeedRepo
      const entries = yield* EntryRepo
      const projects = yield* ProjectRepo
      const limits = yield* RateLimits
      const { record } = yield* SecurityEvents

      /** The newest that fit and have ended. */
      const told = Effect.fnUntraced(function*({ feed: { filter }, timezone, user_id }: OwnedFeed) {
        const wanted = { ...filterOf({ ...filter, running: false }, timezone) }
        const found: Array<ListedEntry> = []
        let page: ReadonlyArray<ListedEntry>
        do {
          const limit = Math.min(PAGE, MAX_FEED_ENTRIES - found.length)
          page = yield* entries.list(user_id, { ...wanted, after: Option.fromUndefinedOr(found.at(-1)) }, newestFirst, limit)
          found.push(...page)
        } while (page.length === PAGE && found.length < MAX_FEED_ENTRIES)
        return found.map(({ entry }) => entry).filter(isFinished)
      })

      const written = Effect.fnUntraced(function*(owned: OwnedFeed) {
        const { head, tail } = calendarFrame(owned.feed)
        const events: Array<string> = []
        for (const [index, entry] of (yield* told(owned)).entries()) {
          // Others have their turn while a long calendar is written.
          if (index % TURN === 0) yield* Effect.yieldNow
          events.push(calendarEvent(entry, owned.feed))
        }
        const text = [head, ...events, tail].join("")
        return { text, etag: hash("sha256", text, "base64url").slice(0, 22) }
      })

      return CalendarFeeds.of({
        create: Effect.fn("CalendarFeeds.create")(function*(caller, feed) {
          const { project_id } = feed.filter
          if (project_id !== undefined && Option.isNone(yield* projects.find(caller.id, project_id))) {
            return yield* new BadRequest({ error: `filter.project_id: you have no project ${project_id}` })
          }
          const id = FeedId.make(randomUUID())
          const secret = `${PREFIX}${randomBytes(32).toString("base64url")}`
          const made = yield* feeds.insert(caller.id, id, hashOf(secret), feed)
          if (Option.isNone(made)) return yield* new Conflict({ error: `you have ${MAX_FEEDS} calendar feeds already; revoke one first`, code: "limit_reached" })
          yield* record({ event: "calendar_feed_created", user_id: caller.id, detail: { feed_id: id, disclosure: feed.disclosure } })
          return new NewCalendarFeed({ ...made.value, url: `/v1/feeds/${secret}.ics` })
        }),
        list: Effect.fn("CalendarFeeds.list")(function*({ id }, { cursor, limit = defaultPageSize }) {
          const after = cursor === undefined ? Option.none() : Option.some(yield* decodeCursor(cursor))
          const { next_cursor, rows } = toPage(yield* feeds.list(id, after, limit + 1), limit)
          return { items: rows.map(({ feed }) => feed), next_cursor }
        }),
        revoke: Effect.fn("CalendarFeeds.revoke")(function*(caller, id) {
          if (!(yield* feeds.remove(caller.id, id))) return yield* new NotFound({ error: `you have no calendar feed ${id}` })
          yield* record({ event: "calendar_feed_revoked", user_id: caller.id, detail: { feed_id: id } })
        }),
        read: Effect.fn("CalendarFeeds.read")(function*(secret) {
          const found = yield* feeds.findBySecret(hashOf(secret))
          if (Option.isNone(found)) return yield* new NotFound({ error: "there is no such calendar feed, or it was revoked" })
          const { feed } = found.value
          yield* limits.take(readLimit, feed.id)
          yield* feeds.noteRead(feed.id)
          return yield* written(found.value)
        })
      })
    })
  )
}

/** By which scanners for leaked secrets know it. */
const PREFIX = "feed_"


/** Programs ask every hour, impatient people every minute. */
const readLimit: RateLimit = { name: "calendar-feed", limit: 60, window: Duration.minutes(1) }

const PAGE = 500
/** Events that are written at a stretch: some milliseconds. */
const TURN = 100

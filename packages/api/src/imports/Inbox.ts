/** The inbox as a timeline: open proposals by local day, beside what is recorded, with what overlaps and what is left open. */
import type { ProjectId } from "@englog/domain/Ids"
import { needsTimes } from "@englog/domain/imports/ImportedItem"
import { type InboxDay, Proposal, type RecordedEntry } from "@englog/domain/imports/Inbox"
import { gapsWithin, type Overlapping, overlapsOf, type Span } from "@englog/domain/imports/Timeline"
import { addDays, localDayOf, localPeriod } from "@englog/domain/users/LocalDays"
import type { CurrentUser } from "@englog/rpc/http/Authorization"
import { BadRequest } from "@englog/rpc/http/HttpErrors"
import type { InboxPage, InboxQuery } from "@englog/rpc/http/InboxApi"
import { MAX_INBOX_DAYS } from "@englog/rpc/http/InboxApi"
import { defaultPageSize } from "@englog/rpc/http/Page"
import { Context, DateTime, Effect, Layer, Option } from "effect"
import type { SqlError } from "effect/sql/SqlError"
import { ProjectRepo } from "../projects/ProjectRepo.ts"
import { ProposalRepo, type StoredProposal } from "./ProposalRepo.ts"

type Caller = CurrentUser["Service"]

export class Inbox extends Context.Service<Inbox, {
  readonly read: (caller: Caller, query: InboxQuery) => Effect.Effect<typeof InboxPage.Type, BadRequest | SqlError>
  /** The user's projects that one can tell by their name, which is unique among them, in lower case. */
  readonly projectsByName: (caller: Caller) => Effect.Effect<ReadonlyMap<string, ProjectId>, SqlError>
}>()("@englog/api/imports/Inbox") {
  static readonly layer = Layer.effect(
    Inbox,
    Effect.gen(function*() {
      const repo = yield* ProposalRepo
      const projects = yield* ProjectRepo

      const projectsByName = Effect.fn("Inbox.projectsByName")(function*({ id }: Caller) {
        const filter = { status: Option.none(), archived: Option.some(false), organization_id: Option.none(), after: Option.none() }
        const found = yield* projects.list(id, filter, MAX_PROJECTS)
        const names = found.map(({ project }) => project.name.toLowerCase())
        return new Map(found.flatMap(({ project }, index) => {
          const name = names[index] ?? ""
          return names.indexOf(name) === names.lastIndexOf(name) ? [[name, project.id] as const] : []
        }))
      })

      /** Days of one page, whole but for a first one that is too large by itself. */
      const pageOf = Effect.fnUntraced(function*(caller: Caller, first: string, last: string, limit: number) {
        const found = yield* repo.open(caller.id, localPeriod(first, last, caller.timezone), MAX_PROPOSALS + 1)
        const dayOf = (proposal: StoredProposal) => localDayOf(proposal.start_time, caller.timezone)
        const cut = found.length > MAX_PROPOSALS ? found.at(-1) : undefined
        const cutDay = cut === undefined ? undefined : dayOf(cut)
        const whole = cutDay === undefined ? found : found.filter((proposal) => dayOf(proposal) !== cutDay)
        const shown = whole.length === 0 ? found.slice(0, MAX_PROPOSALS) : whole
        const days = [...Map.groupBy(shown, dayOf)]
        const beyond = days[limit]
        if (beyond !== undefined) return { byDay: new Map(days.slice(0, limit)), next: beyond[0], more: false }
        const byDay = new Map(days)
        const next = cutDay === undefined ? null : whole.length > 0 ? cutDay : cutDay < last ? addDays(cutDay, 1) : null
        return { byDay, next, more: whole.length === 0 && cutDay !== undefined }
      })

      return Inbox.of({
        projectsByName,
        read: Effect.fn("Inbox.read")(function*(caller, query) {
          const now = yield* DateTime.now
          const { first, last } = daysOf(query, localDayOf(now, caller.timezone))
          if (first > last) return yield* new BadRequest({ error: "cursor: must be a day of the period" })
          const { byDay, more, next } = yield* pageOf(caller, first, last, query.limit ?? defaultPageSize)
          const days = [...byDay.keys()]
          const [earliest] = days
          if (earliest === undefined) return { items: [], next_cursor: null }
          const entries = yield* repo.recorded(caller.id, localPeriod(earliest, days.at(-1) ?? earliest, caller.timezone), MAX_ENTRIES)
          const hinted = [...byDay.values()].flat().some(({ project }) => project !== null)
          const byName = hinted ? yield* projectsByName(caller) : new Map<string, ProjectId>()
          return { items: timeline({ byDay, entries, byName, timezone: caller.timezone, now, more }), next_cursor: next }
        })
      })
    })
  )
}

/** Proposals of one page; a day with more of them is cut off. */
const MAX_PROPOSALS = 500
const MAX_ENTRIES = 5_000
const MAX_PROJECTS = 1_000
/** Days that are shown where no period is asked for. */
const DAYS = 14

const daysOf = ({ cursor, from, to }: InboxQuery, today: string) => {
  const last = to ?? (from === undefined ? today : addDays(from, DAYS - 1))
  const start = from ?? addDays(last, 1 - DAYS)
  const earliest = addDays(last, 1 - MAX_INBOX_DAYS)
  const begin = start < earliest ? earliest : start
  return { first: cursor === undefined || cursor < begin ? begin : cursor, last }
}

interface Placed extends Span {
  readonly proposal?: StoredProposal
  readonly entry?: RecordedEntry
}

interface Shown {
  readonly byDay: ReadonlyMap<string, ReadonlyArray<StoredProposal>>
  readonly entries: ReadonlyArray<RecordedEntry>
  readonly byName: ReadonlyMap<string, ProjectId>
  readonly timezone: string
  readonly now: DateTime.Utc
  /** The last day has more proposals. */
  readonly more: boolean
}

const timeline = ({ byDay, byName, entries, more, now, timezone }: Shown): ReadonlyArray<InboxDay> => {
  const proposals = [...byDay.values()].flat()
  const placed: ReadonlyArray<Placed> = [
    ...proposals.filter((proposal) => !proposal.removed && !needsTimes(proposal)).map((proposal) => ({ ...spanOf(proposal.start_time, proposal.end_time), proposal })),
    ...entries.map((entry) => ({ ...spanOf(entry.start_time, entry.end_time ?? DateTime.max(now, entry.start_time)), entry }))
  ]
  const overlaps = overlapsOf(placed)
  const of = new Map(placed.flatMap((span) => span.proposal === undefined ? [] : [[span.proposal.id, overlaps.get(span) ?? []] as const]))
  return [...byDay].map(([date, own]) => {
    const { from, to } = localPeriod(date, date, timezone)
    const day = spanOf(from, to)
    return {
      date,
      proposals: own.map((proposal) => viewOf(proposal, of.get(proposal.id) ?? [], byName)),
      entries: entries.filter(({ end_time, start_time }) => {
        const { end, start } = spanOf(start_time, end_time ?? now)
        return start < day.end && (end > day.start || start >= day.start)
      }),
      gaps: gapsWithin(day, placed).map(({ end, start }) => ({
        start_time: DateTime.makeUnsafe(start),
        end_time: DateTime.makeUnsafe(end),
        minutes: Math.floor((end - start) / MINUTE)
      })),
      more
    }
  })
}

const MINUTE = 60_000

const spanOf = (start: DateTime.Utc, end: DateTime.Utc): Span => ({ start: DateTime.toEpochMillis(start), end: DateTime.toEpochMillis(end) })

const viewOf = (proposal: StoredProposal, overlaps: ReadonlyArray<Overlapping<Placed>>, byName: ReadonlyMap<string, ProjectId>): Proposal => {
  const { state: _, ...shown } = proposal
  const { end, start } = spanOf(proposal.start_time, proposal.end_time)
  return new Proposal({
    ...shown,
    project_id: proposal.project === null ? null : byName.get(proposal.project.toLowerCase()) ?? null,
    duration_minutes: Math.floor((end - start) / MINUTE),
    needs_times: needsTimes(proposal),
    // An entry is not in the way of its own correction.
    overlaps: overlaps.filter(({ other }) => other.entry === undefined || other.entry.id !== proposal.entry_id).map(({ other, shared }) => ({
      proposal_id: other.proposal?.id ?? null,
      entry_id: other.entry?.id ?? null,
      minutes: Math.floor(shared / MINUTE)
    }))
  })
}

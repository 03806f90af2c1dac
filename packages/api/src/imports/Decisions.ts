/**
 * Decisions about proposals, one or a thousand, in one transaction: what is accepted becomes a change of entries, judged and written as
 * every other change of entries is. A decision that is refused leaves nothing behind and hinders no other one.
 */
import type { LogEntry } from "@englog/domain/entries/LogEntry"
import type { EntryId, ProjectId, ProposalId } from "@englog/domain/Ids"
import { needsTimes } from "@englog/domain/imports/ImportedItem"
import type { CurrentUser } from "@englog/rpc/http/Authorization"
import { EntryPayload } from "@englog/rpc/http/EntryPayload"
import { errorAnswer } from "@englog/rpc/http/ErrorAnswer"
import { BadRequest, Conflict, NotFound } from "@englog/rpc/http/HttpErrors"
import type { DecisionItem, DecisionsPayload, DecisionsResult, InboxDecision } from "@englog/rpc/http/InboxApi"
import { Context, DateTime, Effect, Layer, Option, Result, Schema } from "effect"
import { SqlClient } from "effect/sql"
import type { SqlError } from "effect/sql/SqlError"
import { refusalStatus } from "../entries/Entries.ts"
import { type EntryChange, EntryChanges, isRefusal, type Outcome, type Refusal } from "../entries/EntryChanges.ts"
import { EntryRepo } from "../entries/EntryRepo.ts"
import { describeIssue } from "../http/errors/RequestProblems.ts"
import { Inbox } from "./Inbox.ts"
import { ProposalRepo, type StoredProposal } from "./ProposalRepo.ts"

type Caller = CurrentUser["Service"]

export class Decisions extends Context.Service<Decisions, {
  readonly decide: (caller: Caller, payload: DecisionsPayload) => Effect.Effect<DecisionsResult, SqlError>
}>()("@englog/api/imports/Decisions") {
  static readonly layer = Layer.effect(
    Decisions,
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      const repo = yield* ProposalRepo
      const changes = yield* EntryChanges
      const entries = yield* EntryRepo
      const { projectsByName } = yield* Inbox

      /** What the decisions concern, locked. */
      const present = Effect.fnUntraced(function*(caller: Caller, decisions: ReadonlyArray<InboxDecision>) {
        const found = yield* repo.lock(caller.id, [...new Set(decisions.map(({ id }) => id))])
        const ids = found.flatMap(({ entry_id }) => entry_id === null ? [] : [entry_id])
        const stored = ids.length === 0 ? [] : yield* entries.lock(caller.id, ids)
        const byName = found.some(({ project }) => project !== null) ? yield* projectsByName(caller) : new Map<string, ProjectId>()
        const state: Present = {
          proposals: new Map(found.map((proposal) => [proposal.id, proposal])),
          entries: new Map(stored.map((entry) => [entry.id, entry])),
          byName
        }
        return state
      })

      const decideAll = Effect.fnUntraced(function*(caller: Caller, { atomic = false, decisions }: DecisionsPayload) {
        const judged = judge(decisions, yield* present(caller, decisions))
        const concerning = judged.filter((one) => one.change !== undefined)
        const outcomes = yield* changes.apply(caller.id, concerning.flatMap(({ change }) => change === undefined ? [] : [change]), { atomic })
        const settled = settle(judged, outcomes, atomic)
        const decided = judged.flatMap(({ proposal }, index) => {
          const one = settled[index]
          return proposal === undefined || one?.error !== null ? [] : [afterwards(proposal, decisions[index], one.entry)]
        })
        if (decided.length > 0) yield* repo.decide(caller.id, decided)
        const failed = settled.filter(({ error }) => error !== null)
        const cause = failed.find(({ status }) => status !== UNDONE)
        return { items: settled, succeeded: settled.length - failed.length, failed: failed.length, failed_index: atomic ? cause?.index ?? null : null }
      })

      return Decisions.of({
        decide: Effect.fn("Decisions.decide")((caller, payload) => sql.withTransaction(decideAll(caller, payload)))
      })
    })
  )
}

interface Present {
  readonly proposals: ReadonlyMap<ProposalId, StoredProposal>
  /** Entries that are proposed to be corrected. */
  readonly entries: ReadonlyMap<EntryId, LogEntry>
  readonly byName: ReadonlyMap<string, ProjectId>
}

interface Judged {
  readonly id: ProposalId
  /** Undefined where it is refused. */
  readonly proposal?: StoredProposal
  /** Undefined where no entry is concerned. */
  readonly change?: EntryChange | Refusal
}

const judge = (decisions: ReadonlyArray<InboxDecision>, present: Present): ReadonlyArray<Judged> => {
  const first = new Map<ProposalId, number>()
  return decisions.map((decision, index) => {
    const { id } = decision
    const earlier = first.get(id)
    first.set(id, earlier ?? index)
    if (earlier !== undefined) return { id, change: new BadRequest({ error: `id: decision ${earlier} is about this proposal already` }) }
    const proposal = present.proposals.get(id)
    if (proposal === undefined) return { id, change: new NotFound({ error: `you have no proposal ${id}` }) }
    if (proposal.state !== "open") return { id, change: new Conflict({ error: `the proposal is ${proposal.state} already` }) }
    if (decision.action === "dismiss") return { id, proposal }
    const change = changeOf(proposal, decision.entry ?? {}, present)
    return isRefusal(change) ? { id, change } : { id, proposal, change }
  })
}

type Fields = Readonly<Record<string, Schema.Json>>

const changeOf = (proposal: StoredProposal, corrected: Fields, present: Present): EntryChange | Refusal => {
  const stored = proposal.entry_id === null ? undefined : present.entries.get(proposal.entry_id)
  if (stored !== undefined && proposal.removed) return { action: "delete", id: stored.id, if_match: Option.none() }
  const timeless = stored === undefined && needsTimes(proposal)
  if (timeless && (corrected["start_time"] === undefined || corrected["end_time"] === undefined)) return timesMissing
  const entry = decodeEntry({ entry: { ...(stored === undefined ? proposed(proposal, present) : changed(proposal, stored)), ...corrected } })
  if (Result.isFailure(entry)) return new BadRequest(describeIssue(entry.failure.issue, "Payload"))
  return stored === undefined
    ? { action: "create", entry: entry.success.entry, origin: { source: proposal.source, source_id: proposal.source_id } }
    : { action: "update", id: stored.id, entry: entry.success.entry, if_match: Option.none() }
}

const timesMissing = new BadRequest({
  error: "entry.start_time: is required, and entry.end_time: what is proposed lasts all day or longer than 24 hours and says no working time"
})

const proposed = (proposal: StoredProposal, { byName }: Present): Fields => {
  const project = proposal.project === null ? undefined : byName.get(proposal.project.toLowerCase())
  return {
    ...said(proposal),
    type: proposal.type,
    impact_level: proposal.impact_level,
    tags: proposal.tags,
    ...(project === undefined ? {} : { project_id: project })
  }
}

/** What the source says; the rest is as its owner made it. */
const changed = (proposal: StoredProposal, stored: LogEntry): Fields => ({
  ...said(proposal),
  ...(needsTimes(proposal) ? { start_time: DateTime.formatIso(stored.start_time), end_time: stored.end_time === null ? null : DateTime.formatIso(stored.end_time) } : {}),
  type: stored.type,
  impact_level: stored.impact_level,
  value_rating: stored.value_rating,
  tags: stored.tags,
  project_id: stored.project_id
})

const said = ({ description, end_time, start_time, title }: StoredProposal): Fields => ({
  title,
  description,
  start_time: DateTime.formatIso(start_time),
  end_time: DateTime.formatIso(end_time)
})

const UNDONE = 424

/** One answer for each decision; `outcomes` are of those that concern entries, in their order. */
const settle = (judged: ReadonlyArray<Judged>, outcomes: ReadonlyArray<Outcome>, atomic: boolean): ReadonlyArray<DecisionItem> => {
  const places = judged.flatMap(({ change }, index) => change === undefined ? [] : [index])
  const byIndex = new Map(places.map((index, place) => [index, outcomes[place]]))
  const cause = outcomes.findIndex((outcome) => outcome._tag === "Refused")
  const undone = outcomes.find((outcome) => outcome._tag === "Undone")
  const reason = places[undone === undefined ? cause : undone.index]
  return judged.map(({ change, id }, index) => {
    const outcome = byIndex.get(index)
    if (outcome?._tag === "Refused") {
      const { code, details, error } = errorAnswer(outcome.refusal, outcome.refusal.code)
      return { index, id, status: refusalStatus(outcome.refusal), entry: null, error, code, details }
    }
    if (atomic && reason !== undefined) {
      return { index, id, status: UNDONE, entry: null, error: `not done, because decision ${reason} was refused`, code: "not_applied", details: [] }
    }
    const entry = outcome?._tag === "Done" ? Option.getOrNull(outcome.entry) : null
    return { index, id, status: change === undefined || isRefusal(change) ? 200 : statuses[change.action], entry, error: null, code: null, details: [] }
  })
}

const statuses = { create: 201, update: 200, delete: 204, stop: 200 } as const

/** A correction that is dismissed leaves its entry accepted. */
const afterwards = (proposal: StoredProposal, decision: InboxDecision | undefined, entry: LogEntry | null) =>
  decision?.action === "dismiss"
    ? { id: proposal.id, state: proposal.entry_id === null ? "dismissed" as const : "accepted" as const, entry_id: proposal.entry_id }
    : { id: proposal.id, state: "accepted" as const, entry_id: entry?.id ?? null }

const decodeEntry = Schema.decodeUnknownResult(Schema.Struct({ entry: EntryPayload }), { onExcessProperty: "error", errors: "all" })

/**
 * Every change of entries, one or a thousand: judged against what is stored, then written with a few statements for all, in
 * one transaction. An operation that is refused leaves nothing behind and hinders no other one.
 */
import type { LogEntry } from "@englog/domain/entries/LogEntry"
import { EntryId, type ProjectId, type UserId } from "@englog/domain/Ids"
import { Metrics } from "@englog/platform/telemetry/Metrics"
import type { BulkOperation } from "@englog/rpc/http/BulkPayload"
import { type EntryPayload, longest } from "@englog/rpc/http/EntryPayload"
import { BadRequest, Conflict, NotFound, PreconditionFailed } from "@englog/rpc/http/HttpErrors"
import { Context, Data, DateTime, Duration, Effect, Layer, Option } from "effect"
import { SqlClient } from "effect/sql"
import type { SqlError } from "effect/sql/SqlError"
import { randomUUID } from "node:crypto"
import { isStale, type Seen, seenTag, stale } from "../http/EntityTag.ts"
import { isForLackOfProject, noProject, Projects } from "../projects/Projects.ts"
import { type EntryOrigin, EntryRepo } from "./EntryRepo.ts"

export type EntryChange =
  | { readonly action: "create"; readonly entry: EntryPayload; readonly origin?: EntryOrigin }
  | { readonly action: "update"; readonly id: EntryId; readonly entry: EntryPayload; readonly if_match: Seen }
  | { readonly action: "delete"; readonly id: EntryId; readonly if_match: Seen }
  | { readonly action: "stop"; readonly id: EntryId }

export type Refusal = BadRequest | Conflict | NotFound | PreconditionFailed

export type Outcome =
  | { readonly _tag: "Done"; readonly entry: Option.Option<LogEntry> }
  | { readonly _tag: "Refused"; readonly refusal: Refusal }
  /** Nothing was done because the one at `index` was refused. */
  | { readonly _tag: "Undone"; readonly index: number }

/** A change that was read, or why it could not be. */
export type Proposal = EntryChange | Refusal

/** A change that may be made. */
interface Write {
  readonly index: number
  readonly action: "insert" | "update" | "remove"
  readonly id: EntryId
  /** Undefined where it is removed. */
  readonly entry: EntryPayload | undefined
  /** Of a new one that was imported. */
  readonly origin?: EntryOrigin | undefined
}

export class EntryChanges extends Context.Service<EntryChanges, {
  /** One outcome for each, in their order. With `atomic` all are done or none. */
  readonly apply: (
    user: UserId,
    proposals: ReadonlyArray<Proposal>,
    options: { readonly atomic: boolean }
  ) => Effect.Effect<ReadonlyArray<Outcome>, SqlError>
}>()("@englog/api/entries/EntryChanges") {
  static readonly layer: Layer.Layer<EntryChanges, never, EntryRepo | Projects | SqlClient.SqlClient> = Layer.effect(
    EntryChanges,
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      const repo = yield* EntryRepo
      const projects = yield* Projects

      /** What is stored of what they concern, locked; and what the projects that they name are good for, each asked once. */
      const present = Effect.fnUntraced(function*(user: UserId, proposals: ReadonlyArray<Proposal>) {
        const ids = [...new Set(proposals.flatMap((proposal) => "id" in proposal ? [proposal.id] : []))]
        const locked = ids.length === 0 ? [] : yield* repo.lock(user, ids)
        const named = (action: "create" | "update") =>
          new Set(proposals.flatMap((proposal) => "entry" in proposal && proposal.action === action ? [proposal.entry.project_id] : []))
        const places = yield* Effect.forEach(named("create"), (id) =>
          Effect.map(orRefusal(projects.ofNewEntry(user, id)), (place) => [id, place] as const))
        const refused = yield* Effect.forEach(named("update"), (id) =>
          Effect.map(orRefusal(projects.check(user, id)), (refusal) => refusal instanceof BadRequest ? [[id, refusal] as const] : []))
        const state: Present = {
          entries: new Map(locked.map((entry) => [entry.id, entry])),
          places: new Map(places),
          refusedProjects: new Map(refused.flat()),
          now: yield* DateTime.now
        }
        return state
      })

      const write = Effect.fnUntraced(function*(user: UserId, writes: ReadonlyArray<Write>) {
        const of = (action: Write["action"]) =>
          writes.flatMap(({ entry, id, origin, ...write }) => write.action === action && entry !== undefined ? [{ id, entry, origin }] : [])
        const [inserted, updated, removed] = [of("insert"), of("update"), writes.filter(({ action }) => action === "remove")]
        if (inserted.length > 0) yield* repo.insert(user, inserted)
        if (updated.length > 0) yield* repo.update(user, updated)
        if (removed.length > 0) yield* repo.remove(user, removed.map(({ id }) => id))
      })

      /**
       * All together within one savepoint. Where the database refuses what was judged good (somebody else removed the project
       * meanwhile), each within its own, so that only those that it refuses are refused.
       */
      const writeEach = (user: UserId, writes: ReadonlyArray<Write>): Effect.Effect<ReadonlyMap<number, Refusal>, SqlError> =>
        sql.withTransaction(write(user, writes)).pipe(
          Effect.as(new Map<number, Refusal>()),
          Effect.catchIf(isContradiction, () =>
            Effect.map(
              Effect.forEach(writes, (one) =>
                sql.withTransaction(write(user, [one])).pipe(
                  Effect.as(Option.none<readonly [number, Refusal]>()),
                  Effect.catchIf(isContradiction, (error) =>
                    Effect.succeedSome([one.index, isForLackOfProject(error) ? noProject(one.entry?.project_id) : contradicted] as const))
                )),
              (refused) => new Map(refused.flatMap(Option.toArray))
            ))
        )

      const applyAll = Effect.fnUntraced(function*(user: UserId, proposals: ReadonlyArray<Proposal>, atomic: boolean) {
        const state = yield* present(user, proposals)
        const judged = judge(proposals, state)
        const early = judged.find((judgement) => "refusal" in judgement)
        if (atomic && early !== undefined) return yield* new Undo({ outcomes: undone(judged, early.index) })
        const writes = judged.flatMap((judgement) => "refusal" in judgement ? [] : [judgement])
        const refused = writes.length === 0 ? new Map<number, Refusal>() : yield* writeEach(user, writes)
        const settled = judged.map((judgement) => {
          const refusal = refused.get(judgement.index)
          return refusal === undefined ? judgement : { index: judgement.index, refusal }
        })
        const [late] = refused.keys()
        if (atomic && late !== undefined) return yield* new Undo({ outcomes: undone(settled, late) })
        const kept = writes.filter(({ action, index }) => action !== "remove" && !refused.has(index))
        const stored = kept.length === 0 ? [] : yield* repo.findAll(user, kept.map(({ id }) => id))
        const byId = new Map(stored.map((entry) => [entry.id, entry]))
        return settled.map((judgement): Outcome =>
          "refusal" in judgement
            ? { _tag: "Refused", refusal: judgement.refusal }
            : { _tag: "Done", entry: Option.fromUndefinedOr(byId.get(judgement.id)) })
      })

      return EntryChanges.of({
        apply: Effect.fn("EntryChanges.apply")(function*(user, proposals, { atomic }) {
          const outcomes = yield* sql.withTransaction(applyAll(user, proposals, atomic)).pipe(
            Effect.catchTag("Undo", ({ outcomes }) => Effect.succeed(outcomes))
          )
          const created = outcomes.filter(({ _tag }, index) => _tag === "Done" && isCreation(proposals[index])).length
          if (created > 0) yield* Metrics.entriesCreated.add({}, created)
          return outcomes
        })
      })
    })
  )
}

/** Rolls the transaction back; it is answered, not reported. */
class Undo extends Data.TaggedError("Undo")<{ readonly outcomes: ReadonlyArray<Outcome> }> {}

/** As it comes in a request; a tag in a body stands without quotes. */
export const changeOf = (operation: BulkOperation): EntryChange =>
  operation.action === "create"
    ? operation
    : { ...operation, if_match: seenTag(operation.if_match) }

type NamedProject = EntryPayload["project_id"]

interface Present {
  readonly entries: ReadonlyMap<EntryId, LogEntry>
  /** Where new entries go that name this, or why they may not. */
  readonly places: ReadonlyMap<NamedProject, ProjectId | null | BadRequest>
  /** Projects that an entry may not be moved to. */
  readonly refusedProjects: ReadonlyMap<NamedProject, BadRequest>
  readonly now: DateTime.Utc
}

const orRefusal = <A>(question: Effect.Effect<A, BadRequest | SqlError>): Effect.Effect<A | BadRequest, SqlError> =>
  Effect.catchIf(question, (error) => error instanceof BadRequest, (refusal) => Effect.succeed(refusal))

type Judgement = Write | { readonly index: number; readonly refusal: Refusal }

const judge = (proposals: ReadonlyArray<Proposal>, present: Present): ReadonlyArray<Judgement> => {
  const first = new Map<EntryId, number>()
  return proposals.map((proposal, index) => {
    if (isRefusal(proposal)) return { index, refusal: proposal }
    if (proposal.action === "create") {
      const place = present.places.get(proposal.entry.project_id) ?? null
      if (place instanceof BadRequest) return { index, refusal: place }
      const refusal = timeProblem(proposal.entry, present)
      return refusal === undefined
        ? { index, action: "insert", id: EntryId.make(randomUUID()), entry: { ...proposal.entry, project_id: place }, origin: proposal.origin }
        : { index, refusal }
    }
    const earlier = first.get(proposal.id)
    first.set(proposal.id, earlier ?? index)
    return earlier === undefined
      ? judgeOne(proposal, index, present)
      : { index, refusal: new BadRequest({ error: `id: operation ${earlier} already changes this entry` }) }
  })
}

const judgeOne = (change: Exclude<EntryChange, { readonly action: "create" }>, index: number, present: Present): Judgement => {
  const { id } = change
  const stored = present.entries.get(id)
  if (stored === undefined) return { index, refusal: new NotFound({ error: `you have no entry ${id}` }) }
  if (change.action === "stop") {
    const entry = stopped(stored, present.now)
    return entry instanceof Conflict ? { index, refusal: entry } : { index, action: "update", id, entry }
  }
  if (isStale(change.if_match, stored)) return { index, refusal: stale("entry") }
  if (change.action === "delete") return { index, action: "remove", id, entry: undefined }
  const refusal = problemOf(change.entry, stored, present)
  return refusal === undefined ? { index, action: "update", id, entry: change.entry } : { index, refusal }
}

/** A project that an entry has already may stay, whoever may use it by now. */
const problemOf = (entry: EntryPayload, stored: LogEntry, present: Present): BadRequest | undefined =>
  (entry.project_id === stored.project_id ? undefined : present.refusedProjects.get(entry.project_id)) ?? timeProblem(entry, present)

const timeProblem = (entry: EntryPayload, { now }: Present): BadRequest | undefined =>
  entry.end_time === null && DateTime.isGreaterThan(entry.start_time, DateTime.addDuration(now, skew))
    ? new BadRequest({ error: "start_time: must not lie in the future while end_time is null: a running entry has begun" })
    : undefined

/** By which clocks may differ. */
const skew = Duration.minutes(1)

const stopped = (entry: LogEntry, now: DateTime.Utc): EntryPayload | Conflict => {
  const { end_time, start_time, ...rest } = entry
  if (end_time !== null) return new Conflict({ error: `entry ${entry.id} is not running: it ended at ${DateTime.formatIso(end_time)}` })
  // No entry is without duration, not even one that is stopped at once.
  const end = DateTime.max(now, DateTime.add(start_time, { milliseconds: 1 }))
  return Duration.isGreaterThan(DateTime.distance(start_time, end), longest)
    ? new Conflict({ error: `entry ${entry.id} has been running for more than 366 days: write its end_time` })
    : { ...rest, start_time, end_time: end }
}

const undone = (judged: ReadonlyArray<Judgement>, reason: number): ReadonlyArray<Outcome> =>
  judged.map((judgement) => "refusal" in judgement ? { _tag: "Refused", refusal: judgement.refusal } : { _tag: "Undone", index: reason })

const isCreation = (proposal: Proposal | undefined): boolean =>
  proposal !== undefined && !isRefusal(proposal) && proposal.action === "create"

export const isRefusal = (proposal: Proposal): proposal is Refusal =>
  proposal instanceof BadRequest || proposal instanceof Conflict || proposal instanceof NotFound || proposal instanceof PreconditionFailed

/** What is to be written contradicts what others wrote meanwhile. */
const isContradiction = ({ reason }: SqlError): boolean => reason._tag === "ConstraintError" || reason._tag === "UniqueViolation"

const contradicted = new Conflict({ error: "the entry contradicts what somebody else has just changed; try again" })

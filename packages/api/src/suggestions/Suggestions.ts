/**
 * What people do with suggestions, by REST and RPC alike. What is accepted becomes an update of its entry like any other: judged,
 * and refused where the entry is not what the suggestion was made for any more.
 */
import { Suggestion } from "@englog/domain/categorization/Suggestion"
import type { LogEntry } from "@englog/domain/entries/LogEntry"
import type { EntryId } from "@englog/domain/Ids"
import { EntryCategorization } from "@englog/domain/tasks/EntryCategorization"
import type { CurrentUser } from "@englog/rpc/http/Authorization"
import { errorAnswer } from "@englog/rpc/http/ErrorAnswer"
import { type BadRequest, Conflict, NotFound, PreconditionFailed, type TooManyRequests } from "@englog/rpc/http/HttpErrors"
import { defaultPageSize } from "@englog/rpc/http/Page"
import {
  type DecisionResult, type Decisions, MAX_CATEGORIZED, type SuggestionPage, type SuggestionQuery, type SuggestionRequest
} from "@englog/rpc/http/SuggestionsApi"
import type { TaskAccepted } from "@englog/rpc/http/TaskView"
import { Context, Effect, Layer, Option } from "effect"
import { SqlClient } from "effect/sql"
import type { SqlError } from "effect/sql/SqlError"
import { type EntryChange, EntryChanges, type Refusal } from "../entries/EntryChanges.ts"
import { EntryRepo } from "../entries/EntryRepo.ts"
import { decodeCursor, toPage } from "../http/Cursor.ts"
import { seenTag } from "../http/EntityTag.ts"
import { TaskQueue } from "../queue/TaskQueue.ts"
import { orTooMany } from "../tasks/SubmissionProblem.ts"
import { type StoredSuggestion, SuggestionRepo } from "./SuggestionRepo.ts"

type Caller = CurrentUser["Service"]
type Decision = Decisions["decisions"][number]
type Item = DecisionResult["items"][number]

export class Suggestions extends Context.Service<Suggestions, {
  readonly request: (
    caller: Caller,
    request: SuggestionRequest
  ) => Effect.Effect<typeof TaskAccepted.Type, Conflict | NotFound | TooManyRequests | SqlError>
  readonly list: (caller: Caller, query: SuggestionQuery) => Effect.Effect<typeof SuggestionPage.Type, BadRequest | SqlError>
  readonly decide: (caller: Caller, decisions: Decisions) => Effect.Effect<DecisionResult, SqlError>
}>()("@englog/api/suggestions/Suggestions") {
  static readonly layer = Layer.effect(
    Suggestions,
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      const repo = yield* SuggestionRepo
      const entries = yield* EntryRepo
      const changes = yield* EntryChanges
      const queue = yield* TaskQueue

      const named = Effect.fnUntraced(function*(caller: Caller, entry_ids: ReadonlyArray<EntryId>) {
        const unknown = yield* entries.findMissing(caller.id, entry_ids)
        return unknown.length === 0 ? entry_ids : yield* new NotFound({ error: `entry_ids: you have no such entries: ${unknown.join(", ")}` })
      })

      const present = (caller: Caller, suggestions: ReadonlyArray<StoredSuggestion>) =>
        Effect.map(entries.findAll(caller.id, suggestions.map(({ entry_id }) => entry_id)), (found) => new Map(found.map((entry) => [entry.id, entry])))

      /** The outcome of every accepted suggestion, by its id. */
      const accept = Effect.fnUntraced(function*(caller: Caller, accepted: ReadonlyArray<StoredSuggestion>) {
        const byId = yield* present(caller, accepted)
        const updates = accepted.flatMap((suggestion): ReadonlyArray<readonly [StoredSuggestion, EntryChange]> => {
          const entry = byId.get(suggestion.entry_id)
          return entry === undefined ? [] : [[suggestion, updateOf(entry, suggestion)]]
        })
        const outcomes = updates.length === 0 ? [] : yield* changes.apply(caller.id, updates.map(([, change]) => change), { atomic: false })
        return new Map(updates.flatMap(([{ id }], i) => outcomes[i] === undefined ? [] : [[id, outcomes[i]] as const]))
      })

      const decideAll = Effect.fnUntraced(function*(caller: Caller, decisions: ReadonlyArray<Decision>) {
        const known = new Map((yield* repo.lock(caller.id, decisions.map(({ id }) => id))).map((suggestion) => [suggestion.id, suggestion]))
        const accepted = yield* accept(caller, decisions.flatMap(({ decision, id }) => decision === "accept" ? known.get(id) ?? [] : []))
        const items = decisions.map(({ decision, id }): Item => {
          if (!known.has(id)) return refused(id, new NotFound({ error: `you have no suggestion ${id}` }))
          if (decision === "reject") return { id, status: 204, ...nothing }
          const outcome = accepted.get(id)
          return outcome?._tag === "Done"
            ? { id, status: 200, ...nothing, entry: Option.getOrNull(outcome.entry) }
            : refused(id, outcome?._tag === "Refused" ? outcome.refusal : stale)
        })
        yield* repo.remove(caller.id, items.flatMap(({ error, id }) => error === null ? [id] : []))
        const succeeded = items.filter(({ error }) => error === null).length
        return { items, succeeded, failed: items.length - succeeded }
      })

      return Suggestions.of({
        request: Effect.fn("Suggestions.request")(function*(caller, { entry_ids }) {
          const concerned = entry_ids === undefined
            ? yield* repo.uncategorized(caller.id, MAX_CATEGORIZED)
            : yield* named(caller, [...new Set(entry_ids)])
          if (concerned.length === 0) return yield* new Conflict({ error: "none of your entries lacks both tags and a suggestion" })
          const task_id = yield* orTooMany(queue.submit({
            kind: EntryCategorization.kind,
            prefix: "categorization",
            organization_id: caller.organization_id,
            user_id: caller.id,
            payload: JSON.stringify({ user_id: caller.id, entry_ids: concerned }),
            private_input: null,
            policy: EntryCategorization.policy
          })).pipe(Effect.catchTag("DependencyProblem", Effect.die))
          return { task_id, message: "Categorization task queued successfully" }
        }),
        list: Effect.fn("Suggestions.list")(function*(caller, { cursor, limit = defaultPageSize }) {
          const after = cursor === undefined ? Option.none() : Option.some(yield* decodeCursor(cursor))
          const { next_cursor, rows } = toPage(yield* repo.list(caller.id, after, limit + 1), limit)
          const byId = yield* present(caller, rows)
          return { items: rows.flatMap((row) => shown(row, byId.get(row.entry_id))), next_cursor }
        }),
        decide: Effect.fn("Suggestions.decide")((caller, { decisions }) => sql.withTransaction(decideAll(caller, decisions)))
      })
    })
  )
}

/** An entry that was deleted at this moment took its suggestion with it. */
const shown = ({ created_at, entry_id, id, model, proposed, task_id }: StoredSuggestion, entry: LogEntry | undefined): ReadonlyArray<Suggestion> =>
  entry === undefined ? [] : [
    new Suggestion({
      id, entry_id, task_id, model, created_at, entry_title: entry.title, type: proposed.type, tags: proposed.tags, stale: entry.etag !== proposed.etag
    })
  ]

const updateOf = (entry: LogEntry, { proposed }: StoredSuggestion): EntryChange => {
  const { description, end_time, id, impact_level, project_id, start_time, title, value_rating } = entry
  return {
    action: "update",
    id,
    entry: {
      title, description, project_id, start_time, end_time, value_rating, impact_level,
      type: proposed.type ?? entry.type,
      tags: [...entry.tags, ...proposed.tags].slice(0, MAX_TAGS)
    },
    if_match: seenTag(proposed.etag)
  }
}

/** Of one entry. */
const MAX_TAGS = 50

const nothing = { entry: null, error: null, code: null, details: [] }

const stale = new PreconditionFailed({ error: "the entry is gone" })

const refused = (id: Decision["id"], refusal: Refusal): Item => {
  const told = refusal instanceof PreconditionFailed
    ? { ...refusal, error: "the entry has changed since this was suggested: reject it, or ask for a new suggestion" }
    : refusal
  const { code, details, error } = errorAnswer(told, refusal.code)
  return { id, status: statusOf(refusal), entry: null, error, code, details }
}

const statusOf = (refusal: Refusal): number =>
  refusal instanceof PreconditionFailed ? 412 : refusal instanceof NotFound ? 404 : refusal instanceof Conflict ? 409 : 400

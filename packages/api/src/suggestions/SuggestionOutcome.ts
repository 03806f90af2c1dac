/**
 * ENTRY_CATEGORIZATION tasks: whoever runs one learns the entries and the tags that may be proposed; of what comes back only
 * that is kept which is about entries of the task and proposes what is allowed and not so already.
 */
import { CategorizationInput, MAX_PROPOSED_TAGS, type Proposal, Proposals } from "@englog/domain/categorization/Categorization"
import type { LogEntry } from "@englog/domain/entries/LogEntry"
import type { UserId } from "@englog/domain/Ids"
import { EntryCategorization } from "@englog/domain/tasks/EntryCategorization"
import { Effect, Layer, Option, Schema } from "effect"
import { EntryRepo } from "../entries/EntryRepo.ts"
import { InvalidResult, TaskKinds } from "../queue/TaskKinds.ts"
import { TagRepo } from "../tags/TagRepo.ts"
import { SuggestionRepo } from "./SuggestionRepo.ts"

/** Registers the kind with the engine. */
export const SuggestionOutcomeLive = Layer.effectDiscard(Effect.gen(function*() {
  const kinds = yield* TaskKinds
  const entries = yield* EntryRepo
  const tags = yield* TagRepo
  const suggestions = yield* SuggestionRepo

  /** The most used first. */
  const allowedTags = (user: UserId) =>
    Effect.map(tags.list(user, { category: Option.none(), predefined: Option.none(), after: Option.none() }, MAX_ALLOWED), (found) =>
      [...found].sort((a, b) => b.usage_count - a.usage_count).map(({ name }) => name))
  const concerned = Effect.fnUntraced(function*(user: UserId, payload: string) {
    const { entry_ids } = yield* Effect.orDie(decodePayload(payload))
    return yield* entries.findAll(user, entry_ids)
  })

  yield* kinds.register({
    kind: EntryCategorization.kind,
    data: Effect.fn("SuggestionOutcome.data")(function*({ payload, user_id }) {
      const input: CategorizationInput = { entries: yield* concerned(user_id, payload), tags: yield* allowedTags(user_id) }
      return yield* Effect.orDie(encodeInput(input))
    }),
    onCompleted: Effect.fn("SuggestionOutcome.onCompleted")(function*({ payload, task_id, user_id }, result) {
      const handed = yield* decodeResult(result).pipe(Effect.mapError((error) => new InvalidResult({ message: `result: ${error.message}` })))
      const found = yield* concerned(user_id, payload)
      const allowed = new Set(yield* allowedTags(user_id))
      const byId = new Map(handed.proposals.map((proposal) => [proposal.entry_id, proposal]))
      const kept = found.flatMap((entry) => keep(entry, byId.get(entry.id), allowed))
      yield* suggestions.replace(user_id, { task_id, model: handed.model }, kept)
      const proposals = kept.flatMap(({ entry_id, proposed }) => {
        const own = byId.get(entry_id)
        return own === undefined ? [] : [{ ...own, tags: proposed.tags }]
      })
      return JSON.stringify({ ...handed, proposals })
    })
  })
}))

/** Tags that a user is expected to have at most; further ones are not proposed. */
const MAX_ALLOWED = 1_000

const keep = (entry: LogEntry, proposal: Proposal | undefined, allowed: ReadonlySet<string>) => {
  if (proposal === undefined) return []
  const tags = [...new Set(proposal.tags.map((tag) => tag.trim().toLowerCase()))]
    .filter((tag) => allowed.has(tag) && !entry.tags.includes(tag)).slice(0, MAX_PROPOSED_TAGS)
  const type = proposal.type === entry.type ? null : proposal.type
  return type === null && tags.length === 0 ? [] : [{ entry_id: entry.id, proposed: { type, tags, etag: entry.etag } }]
}

/** PostgreSQL keeps no NUL in text. */
const Storable = Proposals.check(
  Schema.makeFilter(({ model }: Proposals) => model.includes("\u0000") ? { path: ["model"], issue: "must not contain the NUL character" } : undefined)
)
const decodePayload = Schema.decodeEffect(Schema.fromJsonString(EntryCategorization.payload))
const decodeResult = Schema.decodeUnknownEffect(Schema.fromJsonString(Storable))
const encodeInput = Schema.encodeEffect(Schema.fromJsonString(CategorizationInput))

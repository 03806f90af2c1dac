/**
 * What becomes of items that were found, beside what is known of them: a new one is proposed; one that changed at its source changes
 * its proposal, or is proposed again where it was accepted; what was dismissed stays so. The same items a second time change nothing.
 */
import { ProposalId, type UserId } from "@englog/domain/Ids"
import type { ImportedItem } from "@englog/domain/imports/ImportedItem"
import { Context, Effect, Layer } from "effect"
import type { SqlError } from "effect/sql/SqlError"
import { randomUUID } from "node:crypto"
import { type KnownItem, ProposalRepo, type WritingImport, type WrittenProposal } from "./ProposalRepo.ts"

/** `ignored`: cancelled before it was ever proposed. */
export type Fate = "created" | "updated" | "corrections" | "removed" | "unchanged" | "ignored"

export type Fates = Readonly<Record<Fate, number>>

export class ProposalMerge extends Context.Service<ProposalMerge, {
  /** Within the caller's transaction. */
  readonly merge: (by: WritingImport, items: ReadonlyArray<ImportedItem>) => Effect.Effect<Fates, SqlError>
}>()("@englog/api/imports/ProposalMerge") {
  static readonly layer = Layer.effect(
    ProposalMerge,
    Effect.gen(function*() {
      const repo = yield* ProposalRepo

      const knownOf = (user: UserId, items: ReadonlyArray<ImportedItem>) => items.length === 0 ? Effect.succeed([]) : repo.known(user, items)

      return ProposalMerge.of({
        merge: Effect.fn("ProposalMerge.merge")(function*(by, given) {
          const items = withoutRepeats(given)
          yield* repo.lockInbox(by.user_id)
          const known = yield* knownOf(by.user_id, items)
          const judged = items.map((item, index) => judge(item, known[index]))
          const inserts = judged.flatMap(({ fate, written }) => fate === "created" ? [written] : [])
          const updates = judged.flatMap(({ fate, written }) => fate === "created" || fate === "ignored" ? [] : [written])
          if (inserts.length > 0) yield* repo.insert(by, inserts)
          if (updates.length > 0) yield* repo.update(by, updates)
          const count = (fate: Fate) => judged.filter((one) => one.fate === fate).length
          return {
            created: count("created"),
            updated: count("updated"),
            corrections: count("corrections"),
            removed: count("removed"),
            unchanged: count("unchanged") + given.length - items.length,
            ignored: count("ignored")
          }
        })
      })
    })
  )
}

/** Of two with the same name, the first. */
const withoutRepeats = (items: ReadonlyArray<ImportedItem>): ReadonlyArray<ImportedItem> => {
  const seen = new Map(items.toReversed().map((item) => [JSON.stringify([item.source, item.external_id, item.occurrence]), item]))
  return items.filter((item) => seen.get(JSON.stringify([item.source, item.external_id, item.occurrence])) === item)
}

const judge = (item: ImportedItem, known: KnownItem | undefined): { readonly fate: Fate; readonly written: WrittenProposal } => {
  if (known === undefined) {
    return { fate: item.removed ? "ignored" : "created", written: { id: ProposalId.make(randomUUID()), item, state: "open" } }
  }
  const { entry_id, id, state } = known
  const same = known.same && known.removed === item.removed
  // Nobody is asked again about what they dismissed, or about an entry that they deleted since.
  const settled = state === "dismissed" || (state === "accepted" && entry_id === null)
  return same || settled
    ? { fate: "unchanged", written: { id, item, state } }
    : { fate: item.removed ? "removed" : entry_id === null ? "updated" : "corrections", written: { id, item, state: "open" } }
}

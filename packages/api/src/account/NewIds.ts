/**
 * The ids of an account that is imported: each id of the document has one new id, wherever it stands. What an insight cites and
 * is gone since has one too. New ids stand in the order of the old ones: where two entries are alike in all else, their ids decide
 * which comes first, in facts as in lists.
 */
import { goalSlug } from "@englog/domain/facts/GoalFacts"
import { DocumentKey, EntryId, GoalId, ImportId, InsightId, ProjectId, ProposalId, TagId, UploadId } from "@englog/domain/Ids"
import { randomUUID } from "node:crypto"

export class NewIds {
  readonly #ids = new Map<string, string>()
  /** Facts about goals are named by the beginning of their ids. */
  readonly #slugs = new Map<string, string>()

  /** `fixed`: what stands for the old account stands for the new one. `records`: ids of all records of the document. */
  constructor(fixed: ReadonlyArray<readonly [was: string, is: string]>, records: ReadonlyArray<string>) {
    const old = records.map((id) => id.toLowerCase()).sort()
    const made = old.map(() => randomUUID()).sort()
    for (const [index, was] of old.entries()) this.#ids.set(was, made[index] ?? randomUUID())
    for (const [was, is] of fixed) this.#ids.set(was.toLowerCase(), is)
  }

  readonly entry = (was: EntryId): EntryId => EntryId.make(this.#of(was))
  readonly project = (was: ProjectId): ProjectId => ProjectId.make(this.#of(was))
  readonly tag = (was: TagId): TagId => TagId.make(this.#of(was))
  readonly insight = (was: InsightId): InsightId => InsightId.make(this.#of(was))
  readonly import = (was: ImportId): ImportId => ImportId.make(this.#of(was))
  readonly proposal = (was: ProposalId): ProposalId => ProposalId.make(this.#of(was))
  readonly document = (was: DocumentKey): DocumentKey => DocumentKey.make(this.#of(was))
  readonly upload = (was: UploadId): UploadId => UploadId.make(this.#of(was))
  readonly goal = (was: GoalId): GoalId => {
    const is = GoalId.make(this.#of(was))
    this.#slugs.set(goalSlug(was), goalSlug(is))
    return is
  }

  /** Every id that is known so far, wherever it stands in a text; and every name of a fact about a goal. */
  readonly inText = (text: string): string =>
    text.replace(UUID, (id) => this.#ids.get(id.toLowerCase()) ?? id)
      .replace(GOAL_FACT, (_fact, slug: string) => `goal.${this.#slugs.get(slug) ?? slug}.`)

  #of(was: string): string {
    const is = this.#ids.get(was.toLowerCase()) ?? randomUUID()
    this.#ids.set(was.toLowerCase(), is)
    return is
  }
}

const UUID = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/gi
const GOAL_FACT = /\bgoal\.([0-9a-f]{8})\./g

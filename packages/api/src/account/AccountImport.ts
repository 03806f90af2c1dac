/** An exported account, written into an empty one: all of it or nothing (docs/decisions/0042). */
import { type AccountRecords, type AccountRestored, leftOutSections } from "@englog/rpc/http/AccountDocument"
import type { CurrentUser } from "@englog/rpc/http/Authorization"
import { type BadRequest, Conflict } from "@englog/rpc/http/HttpErrors"
import { Context, Effect, Layer, Struct } from "effect"
import { SqlClient } from "effect/sql"
import type { SqlError } from "effect/sql/SqlError"
import { FieldCipher } from "../crypto/FieldCipher.ts"
import { processingOf } from "../documents/Documents.ts"
import { EntryTagRepo } from "../entries/EntryTagRepo.ts"
import { TaskQueue } from "../queue/TaskQueue.ts"
import { SecurityEvents } from "../security/SecurityEvents.ts"
import { type ReadAccount, readDocument, readRecords } from "./AccountDocuments.ts"
import { NewIds } from "./NewIds.ts"
import { ProfileRepo } from "./ProfileRepo.ts"
import { leftOutDocuments, type RestorableDocument, restorableDocuments } from "./RestorableDocuments.ts"
import { documentRow, entryRow, goalRow, importRow, insightRow, projectRow, proposalRow, tagRow, uploadRow } from "./RestoredRows.ts"
import { RestoreRepo } from "./RestoreRepo.ts"

type Caller = CurrentUser["Service"]

export class AccountImport extends Context.Service<AccountImport, {
  /** Of bytes as `GET /v1/users/export` answers them. */
  readonly document: (caller: Caller, bytes: Uint8Array) => Effect.Effect<AccountRestored, BadRequest | Conflict | SqlError>
  readonly records: (caller: Caller, records: AccountRecords) => Effect.Effect<AccountRestored, BadRequest | Conflict | SqlError>
}>()("@englog/api/account/AccountImport") {
  static readonly layer = Layer.effect(
    AccountImport,
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      const repo = yield* RestoreRepo
      const profiles = yield* ProfileRepo
      const tags = yield* EntryTagRepo
      const cipher = yield* FieldCipher
      const queue = yield* TaskQueue
      const { record } = yield* SecurityEvents

      const entriesOf = Effect.fnUntraced(function*(account: ReadAccount, ids: NewIds, owner: Caller) {
        for (let from = 0; from < account.log_entries.length; from += PORTION) {
          const portion = account.log_entries.slice(from, from + PORTION)
          yield* repo.insert("log_entries", portion.map((entry) => entryRow(entry, ids, owner, cipher)))
          yield* tags.attach(owner.id, portion.map((entry) => ({ id: ids.entry(entry.id), tags: entry.tags })))
        }
      })

      const goalsOf = Effect.fnUntraced(function*(account: ReadAccount, ids: NewIds, owner: Caller) {
        yield* repo.insert("goals", account.goals.map((goal) => goalRow(goal, ids, owner)))
        yield* repo.tagGoals(owner.id, account.goals.map((goal) => ({ goal: ids.goal(goal.id), tags: goal.tags })))
        yield* repo.insert("goal_projects", account.goals.flatMap((goal) =>
          [...new Set(goal.projects)].map((project) => ({ goal_id: ids.goal(goal.id), project_id: ids.project(project) }))))
      })

      /** What makes a document found is work: each gets a task, which follows from the import and is not refused for want of room. */
      const documentsOf = Effect.fnUntraced(function*(restored: ReadonlyArray<RestorableDocument>, ids: NewIds, owner: Caller) {
        const by = { organization_id: owner.organization_id, user_id: owner.id }
        for (const { document, upload } of restored) {
          const key = ids.document(document.key)
          const { task_id } = yield* queue.enlist({ ...processingOf(key, document.revision, by), followUp: true }).pipe(
            Effect.catchTags({ QueueFull: Effect.die, DependencyProblem: Effect.die })
          )
          yield* repo.insert("documents", [documentRow(document, task_id, ids, owner)])
          if (upload === undefined) continue
          yield* repo.insert("document_uploads", [uploadRow(upload.record, key, ids, owner)])
          for (const part of upload.parts) {
            yield* repo.insert("document_upload_parts", [{ upload: ids.upload(part.upload), place: part.place, content: part.content() }])
          }
        }
      })

      const write = Effect.fnUntraced(function*(account: ReadAccount, owner: Caller, own: ReadAccount["tags"], documents: ReadonlyArray<RestorableDocument>) {
        const ids = new NewIds(account.user_profile.map(({ id }) => [id, owner.id] as const), idsOf(account, own))
        for (const { first_name, last_name, preferences, timezone } of account.user_profile) {
          yield* profiles.change(owner.id, { first_name, last_name, preferences, timezone })
        }
        yield* repo.insert("tags", own.map((tag) => tagRow(tag, ids, owner)))
        yield* repo.insert("projects", [...account.projects, ...account.team_projects].map((project) => projectRow(project, ids, owner)))
        yield* repo.insert("default_projects", account.default_project.map(({ project_id }) => ({ user_id: owner.id, project_id: ids.project(project_id) })))
        yield* goalsOf(account, ids, owner)
        yield* entriesOf(account, ids, owner)
        for (const insight of account.insights) yield* repo.insert("insights", [insightRow(insight, account, ids, owner)])
        yield* repo.insert("imports", account.imports.map((imported) => importRow(imported, ids, owner)))
        yield* repo.insert("proposals", account.proposals.map((proposal) => proposalRow(proposal, ids, owner, cipher)))
        yield* documentsOf(documents, ids, owner)
      })

      const restore = Effect.fnUntraced(function*(account: ReadAccount, owner: Caller) {
        yield* repo.lock(owner.id)
        const occupied = yield* repo.occupied(owner.id)
        if (occupied.length > 0) return yield* new Conflict({ error: `your account is not empty: it has ${occupied.join(", ")}; import into a new one` })
        const here = new Set(yield* repo.predefined(account.tags.map(({ name }) => name)))
        const own = account.tags.filter(({ name }) => !here.has(name))
        const documents = restorableDocuments(account)
        yield* write(account, owner, own, documents)
        const answer = answerOf(account, own, documents)
        yield* sql.afterCommit(record({ event: "account_imported", user_id: owner.id, detail: answer.restored }))
        return answer
      })

      return AccountImport.of({
        document: Effect.fn("AccountImport.document")(function*(caller, bytes) {
          const account = yield* readDocument(bytes)
          return yield* sql.withTransaction(restore(account, caller))
        }),
        records: Effect.fn("AccountImport.records")(function*(caller, records) {
          const account = yield* readRecords(records)
          return yield* sql.withTransaction(restore(account, caller))
        })
      })
    })
  ).pipe(Layer.provide([EntryTagRepo.layer, RestoreRepo.layer, ProfileRepo.layer]))
}

const PORTION = 250

const idsOf = (account: ReadAccount, own: ReadAccount["tags"]): ReadonlyArray<string> => [
  ...[
    ...own, ...account.projects, ...account.team_projects, ...account.goals, ...account.log_entries, ...account.insights, ...account.imports, ...account.proposals
  ].map(({ id }) => id),
  ...account.documents.map(({ key }) => key)
]

const answerOf = (account: ReadAccount, own: ReadAccount["tags"], documents: ReadonlyArray<RestorableDocument>): AccountRestored => {
  const uploads = documents.flatMap(({ upload }) => upload ?? [])
  const predefined = account.tags.length - own.length
  return {
    restored: {
      user_profile: account.user_profile.length,
      tags: own.length,
      projects: account.projects.length,
      team_projects: account.team_projects.length,
      default_project: account.default_project.length,
      goals: account.goals.length,
      log_entries: account.log_entries.length,
      insights: account.insights.length,
      imports: account.imports.length,
      proposals: account.proposals.length,
      documents: documents.length,
      document_uploads: uploads.length,
      document_upload_parts: uploads.reduce((sum, { parts }) => sum + parts.length, 0)
    },
    left_out: [
      ...(predefined === 0 ? [] : [{ section: "tags", count: predefined, reason: "are predefined here: entries and goals have those" }]),
      ...leftOutDocuments(account, documents),
      ...Struct.keys(leftOutSections).flatMap((section) => {
        const count = account.left_out.get(section) ?? 0
        return count === 0 ? [] : [{ section, count, reason: leftOutSections[section] }]
      })
    ]
  }
}

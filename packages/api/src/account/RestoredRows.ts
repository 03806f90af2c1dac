/** The rows that the records of a document become in the account that imports them: new ids, and its own user and organization. */
import type { DocumentKey, OrganizationId, TaskId, UserId } from "@englog/domain/Ids"
import { EntryId, ProjectId } from "@englog/domain/Ids"
import type { FieldCipher } from "../crypto/FieldCipher.ts"
import { DateTime, Option, Schema, Struct } from "effect"
import { randomBytes } from "node:crypto"
import { wordDigests } from "../entries/EntryWords.ts"
import { contentDigests, itemDigests, nameOf } from "../crypto/ItemDigests.ts"
import { withRenamedProjects } from "../insights/InsightBasis.ts"
import type { ReadAccount } from "./AccountDocuments.ts"
import type { NewIds } from "./NewIds.ts"
import type { RestoredRow } from "./RestoreRepo.ts"

export interface Owner {
  readonly id: UserId
  readonly organization_id: OrganizationId
}

type Of<Section extends keyof ReadAccount> = ReadAccount[Section] extends ReadonlyArray<infer Record> ? Record : never

export const tagRow = ({ category, color, created_at, id, name }: Of<"tags">, ids: NewIds, owner: Owner): RestoredRow => ({
  id: ids.tag(id),
  user_id: owner.id,
  name,
  category,
  color,
  created_at
})

/** One of a team becomes one's own: the team stays where it is. */
export const projectRow = (project: Of<"projects"> | Of<"team_projects">, ids: NewIds, owner: Owner): RestoredRow => ({
  id: ids.project(project.id),
  organization_id: owner.organization_id,
  name: project.name,
  description: "description" in project ? project.description : null,
  status: project.status,
  color: project.color,
  start_date: project.start_date,
  end_date: project.end_date,
  archived_at: project.archived_at,
  created_by: owner.id,
  created_at: project.created_at,
  updated_at: project.updated_at
})

export const goalRow = (goal: Of<"goals">, ids: NewIds, owner: Owner): RestoredRow => ({
  id: ids.goal(goal.id),
  user_id: owner.id,
  title: goal.title,
  description: goal.description,
  measure: goal.measure,
  target: goal.target,
  start_date: goal.start_date,
  end_date: goal.end_date,
  activity_types: goal.activity_types,
  any_tag: goal.any_tag,
  any_project: goal.any_project,
  created_at: goal.created_at,
  updated_at: goal.updated_at
})

export const entryRow = (entry: Of<"log_entries">, ids: NewIds, owner: Owner, cipher: FieldCipher["Service"]): RestoredRow => {
  const description = entry.description ?? null
  return {
    id: ids.entry(entry.id),
    user_id: owner.id,
    project_id: entry.project_id == null ? null : ids.project(entry.project_id),
    title: entry.title,
    description,
    type: entry.type,
    start_time: entry.start_time,
    end_time: entry.end_time,
    value_rating: entry.value_rating,
    impact_level: entry.impact_level,
    source: entry.source,
    source_id: entry.source_id,
    word_digests: wordDigests(cipher, owner.id, { title: entry.title, description }),
    words_key: cipher.keyIds[0],
    created_at: entry.created_at,
    updated_at: entry.updated_at
  }
}

/** Call it after all other rows: an insight names what they have made. */
export const insightRow = (insight: Of<"insights">, account: ReadAccount, ids: NewIds, owner: Owner): RestoredRow => {
  learn(insight, ids)
  const { citations, content, draft, facts, project_ids, removed, tags } = insight
  const basis = insight.basis === null ? null : basisOf(insight.basis, account, ids)
  const named = decodeNamed(ids.inText(JSON.stringify({ content, facts, citations, removed, draft, project_ids })))
  return {
    id: ids.insight(insight.id),
    task_id: taskIdOf(insight, owner),
    user_id: owner.id,
    organization_id: owner.organization_id,
    insight_type: insight.insight_type,
    period_start: insight.period_start,
    period_end: insight.period_end,
    tags,
    confidence: insight.confidence,
    model: insight.model,
    prompt_version: insight.prompt_version,
    source: insight.source,
    fallback_reason: insight.fallback_reason,
    entry_count: insight.entry_count,
    // Of the question as this server would ask it, which nobody has: an equal one is answered anew.
    question_digest: `\\x${randomBytes(32).toString("hex")}`,
    basis,
    created_at: insight.created_at,
    ...named
  }
}

/** Gives a new id to whatever the insight rests on and is gone. */
const learn = ({ basis, citations, facts, project_ids }: Of<"insights">, ids: NewIds): void => {
  for (const id of [...facts, ...citations].flatMap(({ entry_ids }) => entry_ids)) ids.entry(id)
  for (const id of project_ids ?? []) ids.project(id)
  if (basis === null) return
  for (const { id } of basis.records.entries) ids.entry(id)
  for (const { id } of basis.records.goals) ids.goal(id)
  const asked = Option.getOrUndefined(decodeAsked(basis.payload))
  for (const id of asked?.entry_ids ?? []) ids.entry(id)
  for (const id of asked?.project_ids ?? []) ids.project(id)
}

type Basis = NonNullable<Of<"insights">["basis"]>

const basisOf = (basis: Basis, account: ReadAccount, ids: NewIds): Schema.Json => {
  const goals = new Map(account.goals.map((goal) => [goal.id, goal]))
  const records = {
    ...basis.records,
    goals: basis.records.goals.map(({ digests, id }) => {
      const goal = goals.get(id)
      const projects = goal === undefined || goal.any_project ? null : goal.projects
      return { id, digests: withRenamedProjects(digests, projects, projects === null ? null : projects.map(ids.project).sort()) }
    })
  }
  return decodeJson(ids.inText(JSON.stringify({ ...basis, records })))
}

export const importRow = (imported: Of<"imports">, ids: NewIds, owner: Owner): RestoredRow => ({
  ...Struct.omit(imported, ["user_id"]),
  id: ids.import(imported.id),
  user_id: owner.id,
  task_id: taskIdOf(imported, owner)
})

/** Its digests are made anew, so that the same item is known again; which feed it came from, the next import from there tells. */
export const proposalRow = (proposal: Of<"proposals">, ids: NewIds, owner: Owner, cipher: FieldCipher["Service"]): RestoredRow => {
  const { all_day, content, end_time, entry_id, import_id, start_time } = proposal
  const said = { ...content, all_day, start_time: DateTime.makeUnsafe(start_time), end_time: DateTime.makeUnsafe(end_time) }
  return {
    id: ids.proposal(proposal.id),
    user_id: owner.id,
    import_id: import_id === null ? null : ids.import(import_id),
    source: proposal.source,
    item_digest: `\\x${itemDigests(cipher, nameOf(content.source_id, content.occurrence))[0]}`,
    content_digest: `\\x${contentDigests(cipher, said)[0]}`,
    content,
    start_time,
    end_time,
    all_day,
    removed: proposal.removed,
    state: proposal.state,
    entry_id: entry_id === null ? null : ids.entry(entry_id),
    created_at: proposal.created_at,
    updated_at: proposal.updated_at
  }
}

/** It waits for its task. */
export const documentRow = (document: Of<"documents">, task_id: TaskId, ids: NewIds, owner: Owner): RestoredRow => ({
  key: ids.document(document.key),
  organization_id: owner.organization_id,
  document_id: document.document_id,
  submitted_by: owner.id,
  title: document.title,
  format: document.format,
  source: document.source,
  encoded: document.encoded,
  chunk_size: document.chunk_size,
  overlap: document.overlap,
  revision: document.revision,
  task_id,
  created_at: document.created_at,
  updated_at: document.updated_at
})

export const uploadRow = (upload: Of<"document_uploads">, document: DocumentKey, ids: NewIds, owner: Owner): RestoredRow => ({
  id: ids.upload(upload.id),
  organization_id: owner.organization_id,
  document,
  format: upload.format,
  bytes: upload.bytes,
  parts: upload.parts,
  created_at: upload.created_at,
  completed_at: upload.completed_at,
  resumable: upload.resumable ?? false
})

/** As a task's would be; its record stayed behind. */
const taskIdOf = ({ created_at, task_id }: Pick<Of<"insights">, "created_at" | "task_id">, { id }: Owner): string =>
  `${task_id.split("_", 1)[0]}_${id}_${Math.floor(Date.parse(created_at) / 1000)}_${randomBytes(16).toString("hex")}`

const decodeAsked = Schema.decodeUnknownOption(Schema.fromJsonString(Schema.Struct({
  entry_ids: Schema.optionalKey(Schema.Array(EntryId)),
  project_ids: Schema.optionalKey(Schema.Array(ProjectId))
})))
const decodeNamed = Schema.decodeSync(Schema.fromJsonString(Schema.Record(Schema.String, Schema.Json)))
const decodeJson = Schema.decodeSync(Schema.fromJsonString(Schema.Json))

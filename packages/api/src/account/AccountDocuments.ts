/**
 * Reads the document of an export record by record, so that one of 64 MiB is in memory once, as bytes, beside the records that come
 * back; and holds its records against each other. Whatever is wrong is told by its place: `log_entries[17].end_time`.
 */
import {
  type AccountRecords, dispensableSections, DOCUMENT_VERSION, ExportedUploadPart, type LeftOutSection, leftOutSections, type RestoredSection, restoredSections
} from "@englog/rpc/http/AccountDocument"
import type { FieldProblem } from "@englog/rpc/http/ErrorAnswer"
import { BadRequest } from "@englog/rpc/http/HttpErrors"
import { MAX_KEPT_DOCUMENTS } from "@englog/rpc/http/DocumentRequest"
import { MAX_GOALS } from "@englog/rpc/http/GoalsApi"
import { InstantText } from "@englog/rpc/http/Times"
import { DateTime, Effect, Predicate, Result, Schema, SchemaIssue, Struct } from "effect"
import { isUtf8 } from "node:buffer"
import { shortened } from "../http/errors/FieldName.ts"
import { jsonProblem } from "../http/errors/JsonProblem.ts"
import { describeIssue, fieldProblems } from "../http/errors/RequestProblems.ts"
import { nameOf } from "../crypto/ItemDigests.ts"
import { type Member, membersOf } from "./JsonMembers.ts"
import type { ReadPart } from "./RestorableDocuments.ts"

type Records = { readonly [Section in Exclude<RestoredSection, "document_upload_parts">]: ReadonlyArray<typeof restoredSections[Section]["Type"]> }

export interface ReadAccount extends Records {
  readonly document_upload_parts: ReadonlyArray<ReadPart>
  /** How many there are of each section that stays behind. */
  readonly left_out: ReadonlyMap<LeftOutSection, number>
}

/** As `GET /v1/users/export` answers it. */
export const readDocument = Effect.fn("AccountDocuments.readDocument")(function*(
  bytes: Uint8Array
): Effect.fn.Return<ReadAccount, BadRequest> {
  const collected = collector()
  const begun = new Set<string>()
  const head = new Set<string>()
  const repeated = new Set<string>()
  const members = membersOf(bytes, (name) => void (begun.has(name) ? repeated : begun).add(name))
  let slice = 0
  for (let next = members.next(); ; next = members.next()) {
    const [twice] = repeated
    if (twice !== undefined) return yield* wrong(shortened(twice), "is given more than once")
    if (next.done === true) {
      if (next.value !== undefined) return yield* malformed(next.value)
      break
    }
    const problem = memberProblem(next.value, collected)
    if (problem !== undefined) return yield* problem
    if (next.value.index === undefined) head.add(next.value.name)
    slice += next.value.bytes.length
    if (slice <= SLICE_BYTES) continue
    // The server has others to serve meanwhile.
    yield* Effect.yieldNow
    slice = 0
  }
  const unknown = [...begun].find((name) => !isKnown(name) && !isHead(name))
  if (unknown !== undefined) return yield* unknownSection(unknown)
  const required = Struct.keys(restoredSections).filter((name) => !dispensableSections.has(name))
  const missing = [...HEAD.filter((name) => !head.has(name)), ...required.filter((name) => !begun.has(name))]
  if (missing.length > 0) return yield* refusal(missing.map((field) => ({ field, reason: "is required" })))
  return yield* Effect.fromResult(consistent(collected.account(), yield* DateTime.now))
})

/** As `ExportAccount` tells them, in any order. */
export const readRecords = Effect.fn("AccountDocuments.readRecords")(function*(
  { records }: AccountRecords
): Effect.fn.Return<ReadAccount, BadRequest> {
  const collected = collector()
  const counts = new Map<string, number>()
  for (const { record, section } of records) {
    const index = counts.get(section) ?? 0
    counts.set(section, index + 1)
    const problem = collected.take(section, index, record, () => record)
    if (problem !== undefined) return yield* problem
  }
  return yield* Effect.fromResult(consistent(collected.account(), yield* DateTime.now))
})

/** Some milliseconds of work. */
const SLICE_BYTES = 256 * 1024
/** An insight about a whole year's thousands of entries has some. */
const MAX_RECORD_BYTES = 16 * 1024 * 1024
/** Of a list within a record. */
const MAX_MEMBERS = 200_000

const strict = { onExcessProperty: "error", errors: "all" } as const

const wrong = (field: string, reason: string) => refusal([{ field, reason }])
const refusal = (problems: ReadonlyArray<FieldProblem>) => new BadRequest(fieldProblems(problems.slice(0, MAX_PROBLEMS)))
const malformed = (reason: string) => new BadRequest({ ...fieldProblems([{ field: "body", reason }]), code: "malformed_body" })
const MAX_PROBLEMS = 50

type Collector = ReturnType<typeof collector>

const memberProblem = ({ bytes, index, name }: Member, collected: Collector): BadRequest | undefined => {
  const place = index === undefined ? shortened(name) : `${shortened(name)}[${index}]`
  if (bytes.length > MAX_RECORD_BYTES) return wrong(place, `must be at most ${MAX_RECORD_BYTES} bytes`)
  if (!isUtf8(bytes)) return malformed(`is not valid UTF-8, in ${place}`)
  const text = decoder.decode(bytes)
  const problem = jsonProblem(text, MAX_MEMBERS)
  if (problem?.reason.startsWith("is not valid JSON") === true) return malformed(`${problem.reason} of ${place}`)
  if (problem !== undefined) return wrong(problem.field === "" || problem.field.startsWith("[") ? `${place}${problem.field}` : `${place}.${problem.field}`, problem.reason)
  const value: unknown = JSON.parse(text)
  return index === undefined || isHead(name) ? valueProblem(name, index === undefined ? value : [value]) : collected.take(name, index, value, () => JSON.parse(decoder.decode(bytes)))
}

const decoder = new TextDecoder("utf-8", { ignoreBOM: true })

const valueProblem = (name: string, value: unknown): BadRequest | undefined => {
  if (name === "version") return value === DOCUMENT_VERSION ? undefined : wrong(name, `must be ${DOCUMENT_VERSION}: no other form of the document is known here`)
  if (name === "exported_at") return Result.match(decodeInstant(value), { onFailure: () => wrong(name, "must be an RFC 3339 time with its zone"), onSuccess: () => undefined })
  return isKnown(name) ? wrong(name, "must be a list") : unknownSection(name)
}

const decodeInstant = Schema.decodeUnknownResult(InstantText)
const unknownSection = (name: string) =>
  new BadRequest({ error: `unknown field "${shortened(name)}"`, details: [{ field: shortened(name), reason: "is unknown" }] })

const isLeftOut = (name: string): name is LeftOutSection => Object.hasOwn(leftOutSections, name)
const isRestored = (name: string): name is RestoredSection => Object.hasOwn(restoredSections, name)
const HEAD = ["version", "exported_at"]
const isHead = (name: string): boolean => HEAD.includes(name)
const isKnown = (name: string): boolean => isLeftOut(name) || isRestored(name)

/** Takes records of one section. */
const listOf = <S extends Schema.Decoder<unknown>>(schema: S) => {
  const decode = Schema.decodeUnknownResult(schema, strict)
  const records: Array<S["Type"]> = []
  return {
    records,
    take: (value: unknown): SchemaIssue.Issue | undefined =>
      Result.match(decode(value), {
        onFailure: ({ issue }) => issue,
        onSuccess: (record) => {
          records.push(record)
          return undefined
        }
      })
  }
}

/** Of parts only the place is kept: they may be most of 64 MiB, which is in memory as bytes already. */
const partsOf = () => {
  const records: Array<ReadPart> = []
  return {
    records,
    take: (value: unknown, again: () => unknown): SchemaIssue.Issue | undefined =>
      Result.match(decodePart(value), {
        onFailure: ({ issue }) => issue,
        onSuccess: ({ content, place, upload }) => {
          records.push({ upload, place, bytes: Buffer.byteLength(content, "base64"), content: () => contentOf(again()) })
          return undefined
        }
      })
  }
}

const decodePart = Schema.decodeUnknownResult(ExportedUploadPart, strict)
const contentOf = (part: unknown): string => Schema.decodeUnknownSync(ExportedUploadPart)(part).content

const collector = () => {
  const lists = {
    user_profile: listOf(restoredSections.user_profile),
    tags: listOf(restoredSections.tags),
    projects: listOf(restoredSections.projects),
    team_projects: listOf(restoredSections.team_projects),
    default_project: listOf(restoredSections.default_project),
    goals: listOf(restoredSections.goals),
    log_entries: listOf(restoredSections.log_entries),
    insights: listOf(restoredSections.insights),
    imports: listOf(restoredSections.imports),
    proposals: listOf(restoredSections.proposals),
    documents: listOf(restoredSections.documents),
    document_uploads: listOf(restoredSections.document_uploads),
    document_upload_parts: partsOf()
  }
  const left_out = new Map<LeftOutSection, number>()
  return {
    /** `again`: the same value, read anew. */
    take: (section: string, index: number, value: unknown, again: () => unknown): BadRequest | undefined => {
      if (isLeftOut(section)) {
        left_out.set(section, index + 1)
        return Predicate.isObject(value) ? undefined : wrong(`${section}[${index}]`, "must be a JSON object")
      }
      if (!isRestored(section)) return unknownSection(section)
      const issue = lists[section].take(value, again)
      return issue === undefined ? undefined : new BadRequest(describeIssue(new SchemaIssue.Pointer([section, index], issue), "Payload"))
    },
    account: (): ReadAccount => ({
      user_profile: lists.user_profile.records,
      tags: lists.tags.records,
      projects: lists.projects.records,
      team_projects: lists.team_projects.records,
      default_project: lists.default_project.records,
      goals: lists.goals.records,
      log_entries: lists.log_entries.records,
      insights: lists.insights.records,
      imports: lists.imports.records,
      proposals: lists.proposals.records,
      documents: lists.documents.records,
      document_uploads: lists.document_uploads.records,
      document_upload_parts: lists.document_upload_parts.records,
      left_out
    })
  }
}

/** Whether its records go together. */
const consistent = (account: ReadAccount, now: DateTime.Utc): Result.Result<ReadAccount, BadRequest> => {
  const problems = [
    ...(account.user_profile.length === 1 ? [] : [{ field: "user_profile", reason: "must hold one profile" }]),
    ...(account.default_project.length <= 1 ? [] : [{ field: "default_project", reason: "must hold one project at most" }]),
    ...(account.goals.length <= MAX_GOALS ? [] : [{ field: "goals", reason: `must hold at most ${MAX_GOALS} goals` }]),
    ...(account.documents.length <= MAX_KEPT_DOCUMENTS ? [] : [{ field: "documents", reason: `must hold at most ${MAX_KEPT_DOCUMENTS} documents` }]),
    ...repeatedIds(account),
    ...brokenReferences(account),
    ...notBegun(account, now)
  ]
  return problems.length === 0 ? Result.succeed(account) : Result.fail(refusal(problems))
}

/** An hour, by which the clocks of two servers may differ. */
const notBegun = ({ log_entries }: ReadAccount, now: DateTime.Utc): ReadonlyArray<FieldProblem> => {
  const latest = DateTime.add(now, { hours: 1 })
  return log_entries.flatMap(({ end_time, start_time }, index) =>
    end_time === null && DateTime.isGreaterThan(DateTime.makeUnsafe(start_time), latest)
      ? [{ field: `log_entries[${index}].start_time`, reason: "must not lie in the future while end_time is null: a running entry has begun" }]
      : [])
}

const repeatedIds = (account: ReadAccount): ReadonlyArray<FieldProblem> => [
  ...repeats("id", [...places("projects", account.projects), ...places("team_projects", account.team_projects)], ({ id }) => id),
  ...repeats("id", places("tags", account.tags), ({ id }) => id),
  ...repeats("name", places("tags", account.tags), ({ name }) => name),
  ...repeats("id", places("goals", account.goals), ({ id }) => id),
  ...repeats("id", places("log_entries", account.log_entries), ({ id }) => id),
  ...repeats("id", places("insights", account.insights), ({ id }) => id),
  ...repeats("id", places("imports", account.imports), ({ id }) => id),
  ...repeats("id", places("proposals", account.proposals), ({ id }) => id),
  ...repeats("content.source_id", places("proposals", account.proposals), ({ content, source }) => JSON.stringify([source, nameOf(content.source_id, content.occurrence)])),
  ...repeats("key", places("documents", account.documents), ({ key }) => key),
  ...repeats("document_id", places("documents", account.documents).filter(({ record }) => record.personal), ({ document_id }) => document_id),
  ...repeats("id", places("document_uploads", account.document_uploads), ({ id }) => id),
  ...repeats("document", places("document_uploads", account.document_uploads).filter(({ record }) => record.document !== null), ({ document }) => document ?? ""),
  ...repeats("place", places("document_upload_parts", account.document_upload_parts), ({ place, upload }) => `${upload}/${place}`)
]

const places = <A>(section: string, records: ReadonlyArray<A>) => records.map((record, index) => ({ place: `${section}[${index}]`, record }))

const repeats = <A>(field: string, placed: ReadonlyArray<{ readonly place: string; readonly record: A }>, of: (record: A) => string) => {
  const first = new Map<string, string>()
  return placed.flatMap(({ place, record }) => {
    const earlier = first.get(of(record))
    first.set(of(record), earlier ?? place)
    return earlier === undefined ? [] : [{ field: `${place}.${field}`, reason: `is that of ${earlier} already` }]
  })
}

const brokenReferences = (account: ReadAccount): ReadonlyArray<FieldProblem> => {
  const projects = new Map([...account.projects, ...account.team_projects].map((project) => [project.id, project]))
  const unknown = (field: string, id: string) => ({ field, reason: `the document has no project ${id}` })
  const [entries, imports] = [new Set(account.log_entries.map(({ id }) => id)), new Set(account.imports.map(({ id }) => id))]
  return [
    ...account.proposals.flatMap(({ entry_id, import_id }, index) => [
      ...(entry_id === null || entries.has(entry_id) ? [] : [{ field: `proposals[${index}].entry_id`, reason: `the document has no entry ${entry_id}` }]),
      ...(import_id === null || imports.has(import_id) ? [] : [{ field: `proposals[${index}].import_id`, reason: `the document has no import ${import_id}` }])
    ]),
    ...account.log_entries.flatMap(({ project_id }, index) =>
      project_id == null || projects.has(project_id) ? [] : [unknown(`log_entries[${index}].project_id`, project_id)]),
    ...account.goals.flatMap((goal, index) =>
      goal.projects.flatMap((id, place) => projects.has(id) ? [] : [unknown(`goals[${index}].projects[${place}]`, id)])),
    ...account.default_project.flatMap(({ project_id }, index) => {
      const field = `default_project[${index}].project_id`
      const project = projects.get(project_id)
      return project === undefined ? [unknown(field, project_id)] : project.archived_at === null ? [] : [{ field, reason: "must not be archived" }]
    })
  ]
}

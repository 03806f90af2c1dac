/**
 * Task kinds that workers bring with them (docs/decisions/0020). A worker announces name, shapes and policy when it registers;
 * whoever submits such a task is held to the payload's shape, and every worker's result to the result's.
 *
 * The first rule of announcements: a kind means one thing at a time. A built-in one cannot be announced, and as long as
 * another live worker runs a kind, it may only be announced the same way again.
 */
import type { WorkerId } from "@englog/domain/Ids"
import { taskKinds } from "@englog/domain/tasks/TaskKindRegistry"
import type { TaskPolicy } from "@englog/domain/tasks/TaskPolicy"
import type { KindAnnouncement } from "@englog/rpc/grpc/WorkerMessages"
import { Clock, Context, Effect, Layer, Option, Result, Schema } from "effect"
import type { SqlError } from "effect/sql/SqlError"
import { TaskKinds } from "../queue/TaskKinds.ts"
import { AnnouncedKindRepo, type AnnouncedKindRow } from "./AnnouncedKindRepo.ts"
import { compile, type JsonShape } from "./JsonShape.ts"

/** The announcement of a kind cannot be taken: it is no such schema, or means something else already. */
export class KindRefused extends Schema.TaggedError<KindRefused>()("KindRefused", {
  reason: Schema.Literals(["invalid", "conflict"]),
  message: Schema.String
}) {}

export interface AnnouncedKind {
  readonly kind: string
  /** JSON Schemas, draft 2020-12. */
  readonly payload_schema: Schema.Json
  readonly result_schema: Schema.Json
  /** Null: the default. */
  readonly policy: TaskPolicy | null
  readonly payload: JsonShape
  readonly result: JsonShape
}

export class AnnouncedKinds extends Context.Service<AnnouncedKinds, {
  /** At most a second behind the newest announcement. */
  readonly find: (kind: string) => Effect.Effect<Option.Option<AnnouncedKind>, SqlError>
  readonly all: Effect.Effect<ReadonlyArray<AnnouncedKind>, SqlError>
  /** Inside the transaction of a registration, which is made one at a time. */
  readonly announce: (by: WorkerId, kinds: ReadonlyArray<KindAnnouncement>) => Effect.Effect<void, KindRefused | SqlError>
  /** From now on results of these kinds are held to their shapes here. */
  readonly learn: (kinds: ReadonlyArray<string>) => Effect.Effect<void, SqlError>
}>()("@englog/api/kinds/AnnouncedKinds") {
  static readonly layer = Layer.effect(AnnouncedKinds, Effect.suspend(() => make)).pipe(Layer.provide(AnnouncedKindRepo.layer))
}

/** Milliseconds for which what was read is used again. */
const FRESH = 1_000

const make = Effect.gen(function*() {
  const repo = yield* AnnouncedKindRepo
  const taskKindsHere = yield* TaskKinds
  const compiled = new Map<string, { readonly row: string; readonly kind: Option.Option<AnnouncedKind>; readonly until: number }>()

  const kindOf = (row: AnnouncedKindRow, now: number): Option.Option<AnnouncedKind> => {
    const text = JSON.stringify(row)
    const known = compiled.get(row.kind)
    const kind = known?.row === text ? known.kind : compileRow(row)
    compiled.set(row.kind, { row: text, kind, until: now + FRESH })
    return kind
  }

  const find: AnnouncedKinds["Service"]["find"] = Effect.fnUntraced(function*(kind) {
    const now = yield* Clock.currentTimeMillis
    const known = compiled.get(kind)
    if (known !== undefined && known.until > now) return known.kind
    const row = yield* repo.find(kind)
    if (Option.isSome(row)) return kindOf(row.value, now)
    compiled.set(kind, { row: "", kind: Option.none(), until: now + FRESH })
    return Option.none<AnnouncedKind>()
  })

  const accept = Effect.fnUntraced(function*(by: WorkerId, announced: KindAnnouncement) {
    const { name } = announced
    if (name === "") return yield* new KindRefused({ reason: "invalid", message: "announced_kinds.name: must not be empty" })
    if (taskKinds.some(({ kind }) => kind === name)) {
      return yield* new KindRefused({ reason: "conflict", message: `announced_kinds: ${name} is a kind of this server; choose another name` })
    }
    const payload_schema = yield* usable(name, "payload_json_schema", announced.payload_schema)
    const result_schema = yield* usable(name, "result_json_schema", announced.result_schema)
    const policy = Option.match(announced.policy, { onNone: () => null, onSome: (policy) => JSON.stringify(policy) })
    const announcement = { kind: name, payload_schema, result_schema, policy, worker_id: by }
    if (!(yield* repo.same(announcement))) {
      const other = yield* repo.liveWorker(name, by)
      if (Option.isSome(other)) {
        return yield* new KindRefused({
          reason: "conflict",
          message: `announced_kinds: ${name} has another meaning while worker ${other.value} runs it; `
            + "stop the workers with the earlier one first, or give the new one another name"
        })
      }
    }
    yield* repo.put(announcement)
    compiled.delete(name)
  })

  const learn: AnnouncedKinds["Service"]["learn"] = Effect.fnUntraced(function*(kinds) {
    for (const name of kinds) {
      if (taskKinds.some(({ kind }) => kind === name)) continue
      const found = yield* find(name)
      if (Option.isNone(found)) continue
      const { result } = found.value
      yield* taskKindsHere.register({ kind: name, problem: (text) => problemOf(result, text) })
    }
  })

  return AnnouncedKinds.of({
    find,
    all: Effect.gen(function*() {
      const now = yield* Clock.currentTimeMillis
      return (yield* repo.all).flatMap((row) => Option.toArray(kindOf(row, now)))
    }),
    announce: (by, kinds) => Effect.forEach(kinds, (kind) => accept(by, kind), { discard: true }),
    learn
  })
})

const parseUnknown = Schema.decodeUnknownResult(Schema.fromJsonString(Schema.Unknown))
const parseJson = Schema.decodeUnknownResult(Schema.fromJsonString(Schema.Json))

/** The schema's text, once it is known that values can be held to it. */
const usable = (kind: string, field: string, text: string) => {
  const where = `announced_kinds[${kind}].${field}`
  const parsed = parseJson(text)
  if (parsed._tag === "Failure") return Effect.fail(new KindRefused({ reason: "invalid", message: `${where}: is no JSON` }))
  return Result.match(compile(parsed.success), {
    onFailure: (problem) => Effect.fail(new KindRefused({ reason: "invalid", message: `${where}: ${problem}` })),
    onSuccess: () => Effect.succeed(text)
  })
}

/** None where an earlier version kept a schema that this one cannot use; then nothing is held to it. */
const compileRow = (row: AnnouncedKindRow): Option.Option<AnnouncedKind> => {
  const [payload, result] = [compile(row.payload_schema), compile(row.result_schema)]
  return payload._tag === "Success" && result._tag === "Success"
    ? Option.some({ ...row, payload: payload.success, result: result.success })
    : Option.none()
}

/** Of a result's text: what is wrong with it. */
const problemOf = (shape: JsonShape, text: string): string | undefined => {
  const parsed = parseUnknown(text)
  return parsed._tag === "Failure" ? "result: is no JSON" : shape.problem(parsed.success, ["result"])?.error
}

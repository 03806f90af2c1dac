/**
 * The kinds that may be submitted: those of this project, by their schemas, and those that workers announce. A kind that is known
 * stays known as long as this process lives, so only what is unknown costs a look into the database.
 */
import { publicName, type TaskKind } from "@englog/domain/tasks/TaskKind"
import { taskKinds } from "@englog/domain/tasks/TaskKindRegistry"
import { backgroundPolicy, type TaskPolicy } from "@englog/domain/tasks/TaskPolicy"
import { NotFound } from "@englog/rpc/http/HttpErrors"
import { Context, Effect, Layer, Option, Result, Schema, SchemaIssue } from "effect"
import type { SqlError } from "effect/sql/SqlError"
import { shortened } from "../http/errors/FieldName.ts"
import { describeIssue, type FieldProblems } from "../http/errors/RequestProblems.ts"
import { type AnnouncedKind, AnnouncedKinds } from "../kinds/AnnouncedKinds.ts"
import { AnnouncedKindRepo } from "./AnnouncedKindRepo.ts"

export interface KnownKind {
  readonly kind: string
  readonly policy: TaskPolicy
  readonly submittedBy: NonNullable<TaskKind<string, never, never>["submittedBy"]>
  /** The payload as it is to be stored, or what is wrong with it: `<path>: <reason>`. */
  readonly check: (payload: Schema.Json, path: ReadonlyArray<PropertyKey>) => Result.Result<Schema.Json, FieldProblems>
}

export class KnownKinds extends Context.Service<KnownKinds, {
  /** By its public name or as it stands on the wire; fails with the list of known ones. */
  readonly get: (task_type: string) => Effect.Effect<KnownKind, NotFound | SqlError>
  /** Only how it stands on the wire. */
  readonly named: (task_type: string) => Effect.Effect<string, NotFound | SqlError>
}>()("@englog/api/background/KnownKinds") {
  static readonly layer = Layer.effect(
    KnownKinds,
    Effect.gen(function*() {
      const announced = yield* AnnouncedKindRepo
      const shapes = yield* AnnouncedKinds
      const known = new Map(taskKinds.map((kind) => [kind.kind, ours(kind)]))

      const look = (task_type: string) => known.get(task_type) ?? known.get(task_type.toUpperCase())
      const learn = Effect.map(announced.all, (kinds) => {
        for (const kind of kinds) if (!known.has(kind)) known.set(kind, foreign(kind))
      })

      /** What a worker announced of its kind may change from one announcement to the next. */
      const shaped = Effect.fnUntraced(function*(found: KnownKind) {
        if (taskKinds.some(({ kind }) => kind === found.kind)) return found
        return Option.match(yield* shapes.find(found.kind), { onNone: () => found, onSome: announcedKind })
      })

      const get = Effect.fn("KnownKinds.get")(function*(task_type: string) {
        const found = look(task_type)
        if (found !== undefined) return yield* shaped(found)
        yield* learn
        const learned = look(task_type)
        if (learned !== undefined) return yield* shaped(learned)
        const names = [...known.keys()].map(publicName).sort()
        return yield* new NotFound({ error: `task_type: there is no kind ${shortened(task_type)}; known are ${names.join(", ")}` })
      })

      return KnownKinds.of({ get, named: (task_type) => Effect.map(get(task_type), ({ kind }) => kind) })
    })
  ).pipe(Layer.provide(AnnouncedKindRepo.layer))
}

const ours = ({ kind, payload, policy, submittedBy = "everybody" }: (typeof taskKinds)[number]): KnownKind => {
  const codec = Schema.toCodecJson(payload)
  const decode = Schema.decodeUnknownResult(codec, { errors: "all", onExcessProperty: "error" })
  const encode = Schema.encodeUnknownSync(codec)
  return {
    kind,
    policy,
    submittedBy,
    check: (json, path) =>
      Result.match(decode(json), {
        onSuccess: (value) => Result.succeed(encode(value)),
        onFailure: ({ issue }) => Result.fail(describeIssue(new SchemaIssue.Pointer(path, issue), "Payload"))
      })
  }
}

const announcedKind = ({ kind, payload, policy }: AnnouncedKind): KnownKind => ({
  ...foreign(kind),
  policy: policy ?? backgroundPolicy,
  check: (json, path) => {
    const problem = payload.problem(json, path)
    return problem === undefined ? Result.succeed(json) : Result.fail(problem)
  }
})

const foreign = (kind: string): KnownKind => ({
  kind,
  policy: backgroundPolicy,
  submittedBy: "everybody",
  check: (payload) => Result.succeed(payload)
})

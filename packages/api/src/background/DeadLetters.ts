/** Dead letters for people: look at them, and try them anew, each once. */
import type { TaskId } from "@englog/domain/Ids"
import { DeadLetter } from "@englog/domain/tasks/DeadLetter"
import { publicName } from "@englog/domain/tasks/TaskKind"
import { Priority, type RetryPolicy } from "@englog/domain/tasks/TaskPolicy"
import type { CurrentUser } from "@englog/rpc/http/Authorization"
import {
  DeadLetterDetail, type DeadLetterQuery, DeadLetterView, MAX_REPLAYS, type ReplayRequest
} from "@englog/rpc/http/DeadLetterView"
import { BadRequest, Conflict, type Forbidden, NotFound, type TooManyRequests } from "@englog/rpc/http/HttpErrors"
import { defaultPageSize } from "@englog/rpc/http/Page"
import { Context, Effect, Layer, Option, Result, Schema, Struct } from "effect"
import { SqlClient } from "effect/sql"
import type { SqlError } from "effect/sql/SqlError"
import { type DeadLetterFilter, DeadLetterRepo, type WholeDeadLetter } from "../queue/DeadLetterRepo.ts"
import { TaskQueue } from "../queue/TaskQueue.ts"
import { orConflict, orTooMany } from "../tasks/SubmissionProblem.ts"
import { TaskAccess } from "../tasks/TaskAccess.ts"
import { KnownKinds } from "./KnownKinds.ts"
import { prefixOf } from "./SubmissionTerms.ts"

type Caller = CurrentUser["Service"]

export interface Replay {
  readonly dead_letter: TaskId
  readonly task_id: TaskId
}

export class DeadLetters extends Context.Service<DeadLetters, {
  readonly list: (caller: Caller, query: DeadLetterQuery) => Effect.Effect<
    { readonly items: ReadonlyArray<DeadLetterView>; readonly next_cursor: string | null },
    BadRequest | Forbidden | NotFound | SqlError
  >
  readonly get: (caller: Caller, id: TaskId) => Effect.Effect<DeadLetterDetail, NotFound | SqlError>
  /** The new task. Conflict: it was replayed already. */
  readonly replay: (caller: Caller, id: TaskId) => Effect.Effect<TaskId, NotFound | Conflict | TooManyRequests | SqlError>
  /** As many as there is room for; fails with TooManyRequests only where there is room for none. */
  readonly replayAll: (caller: Caller, request: ReplayRequest) => Effect.Effect<
    { readonly items: ReadonlyArray<Replay>; readonly more: boolean },
    Forbidden | NotFound | TooManyRequests | SqlError
  >
}>()("@englog/api/background/DeadLetters") {
  static readonly layer = Layer.effect(
    DeadLetters,
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      const repo = yield* DeadLetterRepo
      const queue = yield* TaskQueue
      const kinds = yield* KnownKinds
      const access = yield* TaskAccess

      const filterOf = Effect.fnUntraced(function*(caller: Caller, { organization_id, queue, task_type }: ReplayRequest) {
        const filter: DeadLetterFilter = { organization_id: yield* access.organization(caller, organization_id) }
        const kind = task_type === undefined ? undefined : yield* kinds.named(task_type)
        return { ...filter, ...(kind === undefined ? {} : { kind }), ...(queue === undefined ? {} : { queue }) }
      })

      const visible = (id: TaskId, found: Option.Option<WholeDeadLetter>) =>
        Effect.fromOption(found).pipe(Effect.mapError(() => new NotFound({ error: `there is no dead letter ${id}` })))

      /** In one transaction, under the lock of the dead letter. */
      const replay = Effect.fn("DeadLetters.replay")(function*(caller: Caller, id: TaskId) {
        yield* access.find(caller, id)
        return yield* sql.withTransaction(Effect.gen(function*() {
          const letter = yield* Effect.flatMap(repo.lock(id), (found) => visible(id, found))
          if (letter.replayed_as !== null) return yield* new Conflict({ error: `it was replayed already, as ${letter.replayed_as}` })
          if (letter.unique_key !== null) yield* repo.giveUpKey(id)
          const { created, task_id } = yield* orConflict(orTooMany(queue.enlist(again(letter)))).pipe(
            // Only of tasks to wait for.
            Effect.catchIf((error) => error instanceof NotFound, Effect.die)
          )
          if (!created) return yield* new Conflict({ error: `its unique key is that of ${task_id} now` })
          yield* repo.noteReplay(id, task_id)
          return task_id
        }))
      })

      return DeadLetters.of({
        list: Effect.fn("DeadLetters.list")(function*(caller, { cursor = null, limit = defaultPageSize, ...query }) {
          if (cursor !== null && !/^\d{1,19}$/.test(cursor)) return yield* new BadRequest({ error: "cursor: is not a next_cursor of an earlier page" })
          const letters = yield* repo.list(yield* filterOf(caller, query), cursor, limit + 1)
          return {
            items: letters.slice(0, limit).map((letter) => new DeadLetterView(toView(letter))),
            next_cursor: letters.length > limit ? letters[limit - 1]?.number ?? null : null
          }
        }),
        get: Effect.fn("DeadLetters.get")(function*(caller, id) {
          yield* access.find(caller, id)
          return yield* Effect.flatMap(Effect.flatMap(repo.find(id), (found) => visible(id, found)), toDetail)
        }),
        replay,
        replayAll: Effect.fn("DeadLetters.replayAll")(function*(caller, request) {
          const letters = yield* repo.list({ ...(yield* filterOf(caller, request)), unplayed: true }, null, MAX_REPLAYS + 1)
          const items: Array<Replay> = []
          for (const { task_id } of letters.slice(0, MAX_REPLAYS)) {
            const answer = yield* Effect.result(replay(caller, task_id))
            if (Result.isSuccess(answer)) items.push({ dead_letter: task_id, task_id: answer.success })
            // Somebody else replayed or removed it meanwhile.
            else if (answer.failure instanceof Conflict || answer.failure instanceof NotFound) continue
            else if (items.length > 0) return { items, more: true }
            else return yield* answer.failure
          }
          return { items, more: letters.length > MAX_REPLAYS }
        })
      })
    })
  ).pipe(Layer.provide(DeadLetterRepo.layer))
}

/** The same task once more, with its unique key and limit; it waits for no other task. */
const again = (letter: WholeDeadLetter) => ({
  kind: letter.kind,
  prefix: prefixOf(letter.kind),
  organization_id: letter.organization_id,
  user_id: letter.user_id,
  payload: letter.payload,
  private_input: letter.private_input,
  name: letter.name,
  unique_key: letter.unique_key,
  limit: letter.limit,
  parent: letter.task_id,
  policy: {
    queue: letter.queue,
    priority: Priority.make(letter.priority),
    attempt_timeout: letter.attempt_timeout,
    deadline: Math.max(letter.attempt_timeout, Math.round(letter.deadline)),
    retry: letter.retry,
    result_ttl: letter.result_ttl
  }
})

const toView = (letter: typeof DeadLetter.Type) => ({ ...Struct.pick(letter, Struct.keys(DeadLetter.fields)), task_type: publicName(letter.kind) })

const toDetail = Effect.fnUntraced(function*(letter: WholeDeadLetter) {
  return new DeadLetterDetail({
    ...toView(letter),
    payload: yield* Effect.orDie(decodeJson(letter.payload)),
    timeout: letter.attempt_timeout / 1_000,
    retry_policy: inSeconds(letter.retry)
  })
})

const inSeconds = (retry: RetryPolicy) => ({ ...retry, base_delay: retry.base_delay / 1_000, max_delay: retry.max_delay / 1_000 })

const decodeJson = Schema.decodeEffect(Schema.fromJsonString(Schema.Json))

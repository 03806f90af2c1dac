/** Dead letters tried anew, each once, whoever may ask for it: DeadLetters for people, the command line on the server. */
import type { TaskId } from "@englog/domain/Ids"
import { Priority } from "@englog/domain/tasks/TaskPolicy"
import { MAX_REPLAYS } from "@englog/rpc/http/DeadLetterView"
import { Conflict, NotFound, type TooManyRequests } from "@englog/rpc/http/HttpErrors"
import { Context, Effect, Layer, Option, Result } from "effect"
import { SqlClient } from "effect/sql"
import type { SqlError } from "effect/sql/SqlError"
import { type DeadLetterFilter, DeadLetterRepo, type WholeDeadLetter } from "../queue/DeadLetterRepo.ts"
import { TaskQueue } from "../queue/TaskQueue.ts"
import { orConflict, orTooMany } from "../tasks/SubmissionProblem.ts"
import { prefixOf } from "./SubmissionTerms.ts"

export interface Replay {
  readonly dead_letter: TaskId
  readonly task_id: TaskId
}

export class DeadLetterReplays extends Context.Service<DeadLetterReplays, {
  /** The new task. Conflict: it was replayed already. */
  readonly one: (id: TaskId) => Effect.Effect<TaskId, NotFound | Conflict | TooManyRequests | SqlError>
  /** At most MAX_REPLAYS, as many as there is room for; fails with TooManyRequests only where there is room for none. */
  readonly all: (filter: DeadLetterFilter) => Effect.Effect<
    { readonly items: ReadonlyArray<Replay>; readonly more: boolean },
    TooManyRequests | SqlError
  >
}>()("@englog/api/background/DeadLetterReplays") {
  static readonly layer = Layer.effect(
    DeadLetterReplays,
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      const repo = yield* DeadLetterRepo
      const queue = yield* TaskQueue

      /** In one transaction, under the lock of the dead letter. */
      const one = Effect.fn("DeadLetterReplays.one")(function*(id: TaskId) {
        return yield* sql.withTransaction(Effect.gen(function*() {
          const letter = yield* Effect.flatMap(repo.lock(id), (found) => orNotFound(id, found))
          if (letter.replayed_as !== null) return yield* new Conflict({ error: `it was replayed already, as ${letter.replayed_as}` })
          if (letter.unique_key !== null) yield* repo.giveUpKey(id)
          const { created, task_id } = yield* orConflict(orTooMany(queue.enlist(again(letter)))).pipe(
            // A replay waits for no other task.
            Effect.catchIf((error) => error instanceof NotFound, Effect.die)
          )
          if (!created) return yield* new Conflict({ error: `its unique key is that of ${task_id} now` })
          yield* repo.noteReplay(id, task_id)
          return task_id
        }))
      })

      return DeadLetterReplays.of({
        one,
        all: Effect.fn("DeadLetterReplays.all")(function*(filter) {
          const letters = yield* repo.list({ ...filter, unplayed: true }, null, MAX_REPLAYS + 1)
          const items: Array<Replay> = []
          for (const { task_id } of letters.slice(0, MAX_REPLAYS)) {
            const answer = yield* Effect.result(one(task_id))
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

export const orNotFound = <A>(id: TaskId, found: Option.Option<A>) =>
  Effect.fromOption(found).pipe(Effect.mapError(() => new NotFound({ error: `there is no dead letter ${id}` })))

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

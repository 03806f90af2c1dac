/** Dead letters for people: look at them, and try them anew, each once. */
import type { TaskId } from "@englog/domain/Ids"
import { DeadLetter } from "@englog/domain/tasks/DeadLetter"
import { publicName } from "@englog/domain/tasks/TaskKind"
import type { RetryPolicy } from "@englog/domain/tasks/TaskPolicy"
import type { CurrentUser } from "@englog/rpc/http/Authorization"
import { DeadLetterDetail, type DeadLetterQuery, DeadLetterView, type ReplayRequest } from "@englog/rpc/http/DeadLetterView"
import { BadRequest, type Conflict, type Forbidden, type NotFound, type TooManyRequests } from "@englog/rpc/http/HttpErrors"
import { defaultPageSize } from "@englog/rpc/http/Page"
import { Context, Effect, Layer, Schema, Struct } from "effect"
import type { SqlError } from "effect/sql/SqlError"
import { type DeadLetterFilter, DeadLetterRepo, type WholeDeadLetter } from "../queue/DeadLetterRepo.ts"
import { TaskAccess } from "../tasks/TaskAccess.ts"
import { DeadLetterReplays, orNotFound, type Replay } from "./DeadLetterReplays.ts"
import { KnownKinds } from "./KnownKinds.ts"

type Caller = CurrentUser["Service"]

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
      const repo = yield* DeadLetterRepo
      const replays = yield* DeadLetterReplays
      const kinds = yield* KnownKinds
      const access = yield* TaskAccess

      const filterOf = Effect.fnUntraced(function*(caller: Caller, { organization_id, queue, task_type }: ReplayRequest) {
        const filter: DeadLetterFilter = { organization_id: yield* access.organization(caller, organization_id) }
        const kind = task_type === undefined ? undefined : yield* kinds.named(task_type)
        return { ...filter, ...(kind === undefined ? {} : { kind }), ...(queue === undefined ? {} : { queue }) }
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
          return yield* Effect.flatMap(Effect.flatMap(repo.find(id), (found) => orNotFound(id, found)), toDetail)
        }),
        replay: Effect.fn("DeadLetters.replay")((caller, id) => Effect.andThen(access.find(caller, id), replays.one(id))),
        replayAll: Effect.fn("DeadLetters.replayAll")((caller, request) => Effect.flatMap(filterOf(caller, request), replays.all))
      })
    })
  ).pipe(Layer.provide([DeadLetterReplays.layer, DeadLetterRepo.layer]))
}

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

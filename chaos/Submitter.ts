/** Hands one submission to an API server, and again to the other where no answer came and a unique key makes that safe. */
import { ask } from "@englog/e2e/Person"
import { BulkAccepted, TaskRequest } from "@englog/rpc/http/TaskRequest"
import { TaskAccepted } from "@englog/rpc/http/TaskView"
import { Effect, Option, Schema } from "effect"
import type { Account, Door } from "./Accounts.ts"
import type { Acknowledged, Blunder } from "./Evidence.ts"
import type { Submission, Wanted } from "./Submission.ts"

/** Whatever takes longer counts as no answer. */
const PATIENCE = "4 seconds"
/** With a unique key. */
const TRIES = 6

export interface Witness {
  readonly accepted: (one: Acknowledged) => void
  readonly blundered: (one: Blunder) => void
}

/** Tells each acknowledgement as it comes. False where one did not come. */
export const submit = Effect.fnUntraced(function*(account: Account, first: number, submission: Submission, { accepted, blundered }: Witness) {
  const doorOf = (turn: number): Door => account.doors[(first + turn) % account.doors.length] ?? account.doors[0]
  const again = <R>(keyed: boolean, knock: (door: Door) => Effect.Effect<Option.Option<ReadonlyArray<Acknowledged>>, never, R>) =>
    Effect.gen(function*() {
      for (let turn = 0; turn < (keyed ? TRIES : 1); turn++) {
        const answer = yield* knock(doorOf(turn))
        if (Option.isSome(answer)) {
          for (const one of answer.value) accepted(one)
          return answer
        }
        yield* Effect.sleep("100 millis")
      }
      return Option.none<ReadonlyArray<Acknowledged>>()
    })
  switch (submission._tag) {
    case "Insight":
      return Option.isSome(yield* again(false, (door) => insight(door, account, blundered)))
    case "One":
      return Option.isSome(yield* again(submission.task.unique_key !== undefined, (door) => one(door, submission.by, submission.task, blundered)))
    case "Bulk":
      return Option.isSome(yield* again(allKeyed(submission.tasks), (door) => bulk(door, submission.tasks, [], blundered)))
    case "Family": {
      const parents = yield* again(allKeyed(submission.parents), (door) => bulk(door, submission.parents, [], blundered))
      if (Option.isNone(parents)) return false
      const after = parents.value.map(({ task }) => task)
      return Option.isSome(yield* again(allKeyed(submission.children), (door) => bulk(door, submission.children, after, blundered)))
    }
  }
})

const allKeyed = (tasks: ReadonlyArray<Wanted>): boolean => tasks.every(({ unique_key }) => unique_key !== undefined)

const acknowledged = (task: string, unique_key: string | undefined, after: ReadonlyArray<string>): Acknowledged =>
  ({ task, after, unique_key: unique_key ?? null })

const decodeOne = Schema.decodeOption(Schema.fromJsonString(TaskAccepted))
const decodeMany = Schema.decodeOption(Schema.fromJsonString(BulkAccepted))
const decodeRequest = Schema.decodeUnknownEffect(Schema.toCodecJson(TaskRequest))

const post = (door: Door, path: string, body: unknown, blundered: Witness["blundered"]) =>
  Effect.gen(function*() {
    const answer = yield* ask("POST", `${door.url}${path}`, { token: yield* door.token, body })
    if (answer.status === 500) blundered({ asked: `POST ${path}`, answer: `500 ${answer.text.slice(0, 200)}` })
    return answer.status === 202 ? Option.some(answer.text) : Option.none<string>()
  })

const orSilence = <A, E, R>(knock: Effect.Effect<Option.Option<A>, E, R>) =>
  knock.pipe(Effect.timeout(PATIENCE), Effect.orElseSucceed(() => Option.none<A>()))

const insight = (door: Door, account: Account, blundered: Witness["blundered"]) =>
  post(door, "/v1/tasks/insights", { user_id: account.user_id, entry_ids: [account.entry_id], insight_type: "productivity" }, blundered).pipe(
    Effect.map(Option.flatMap(decodeOne)),
    Effect.map(Option.map(({ task_id }) => [acknowledged(task_id, undefined, [])])),
    orSilence
  )

const one = (door: Door, by: "rest" | "rpc", { request, unique_key }: Wanted, blundered: Witness["blundered"]) =>
  Effect.gen(function*() {
    const accepted = by === "rest"
      ? Option.flatMap(yield* post(door, "/api/background/tasks", request, blundered), decodeOne)
      : Option.some(yield* door.rpc.SubmitTask(yield* decodeRequest(request)).pipe(
        Effect.tapDefect((defect) => Effect.sync(() => blundered({ asked: "SubmitTask", answer: String(defect).slice(0, 200) }))),
        Effect.catchDefect(() => Effect.fail("no answer"))
      ))
    return Option.map(accepted, ({ task_id }) => [acknowledged(task_id, unique_key, [])])
  }).pipe(orSilence)

const bulk = (door: Door, tasks: ReadonlyArray<Wanted>, after: ReadonlyArray<string>, blundered: Witness["blundered"]) =>
  post(door, "/api/background/tasks/bulk", { tasks: tasks.map(({ request }) => after.length === 0 ? request : { ...request, after }) }, blundered).pipe(
    Effect.map(Option.flatMap(decodeMany)),
    Effect.map(Option.map(({ items }) => items.map(({ task_id }, index) => acknowledged(task_id, tasks[index]?.unique_key, after)))),
    orSilence
  )

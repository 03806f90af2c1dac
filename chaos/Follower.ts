/**
 * Follows one task to its end, by server-sent events or by RPC, over as many connections as it takes. Each goes on after the
 * last step that was received; what is received is written down as it comes.
 */
import { TaskId } from "@englog/domain/Ids"
import { TaskStep } from "@englog/rpc/http/TaskView"
import { Effect, Option, Ref, Schedule, Schema, Stream } from "effect"
import { HttpClient, HttpClientRequest } from "effect/http"
import type { Account, Door } from "./Accounts.ts"
import { terminal } from "./checks/Violation.ts"
import type { Received } from "./Evidence.ts"
import type { Journal } from "./Journal.ts"
import type { SeededRandom } from "./SeededRandom.ts"

export interface FollowOptions {
  readonly subscriber: string
  readonly task: string
  readonly account: Account
  readonly by: "sse" | "rpc"
  readonly random: SeededRandom
  readonly journal: Journal<Received>
}

/** A connection over which nothing comes for this long (pings come every 15 s) is given up for another. */
const SILENCE = "20 seconds"

/** All of them at once would be a fault of their own. */
const RETRY = Schedule.spaced("1 second").pipe(Schedule.jittered)

export const follow = Effect.fnUntraced(function*({ account, by, journal, random, subscriber, task }: FollowOptions) {
  const seen = yield* Ref.make(0)
  const over = yield* Ref.make(false)
  const receive = (step: TaskStep) =>
    Effect.gen(function*() {
      journal.write({ subscriber, task, seq: step.seq, type: step.type })
      yield* Ref.set(seen, step.seq)
      if (terminal.has(step.type)) yield* Ref.set(over, true)
    })
  const receiveAll = <E, R>(steps: Stream.Stream<Option.Option<TaskStep>, E, R>) =>
    steps.pipe(
      Stream.takeUntil((step) => Option.isSome(step) && terminal.has(step.value.type)),
      Stream.runForEach((step) => Option.isSome(step) ? receive(step.value) : Effect.void)
    )
  const connection = Effect.gen(function*() {
    const after = yield* Ref.get(seen)
    const door = random.pick(account.doors)
    if (by === "sse") yield* receiveAll(overSse(door, task, after))
    else yield* receiveAll(overRpc(door, task, after))
  })
  yield* connection.pipe(
    // Broken connections, servers that are away: what this run is about.
    Effect.ignore,
    Effect.repeat({ until: () => Ref.get(over), schedule: RETRY })
  )
})

/** None: a sign of life. */
const overSse = (door: Door, task: string, after: number) =>
  Stream.unwrap(Effect.gen(function*() {
    const request = HttpClientRequest.get(`${door.url}/v1/tasks/${task}/stream`).pipe(
      HttpClientRequest.bearerToken(yield* door.token),
      after === 0 ? (same) => same : HttpClientRequest.setHeader("last-event-id", String(after))
    )
    const response = yield* HttpClient.execute(request)
    if (response.status !== 200) return Stream.empty
    return response.stream.pipe(Stream.decodeText, Stream.splitLines, Stream.map(stepOf))
  }).pipe(Effect.timeout("10 seconds"))).pipe(Stream.timeout(SILENCE))

const decode = Schema.decodeOption(Schema.fromJsonString(TaskStep))
const stepOf = (line: string) => line.startsWith("data: ") ? decode(line.slice("data: ".length)) : Option.none()

const overRpc = (door: Door, task: string, after: number) =>
  door.rpc.WatchTask({ task_id: TaskId.make(task), after }).pipe(Stream.map(Option.some), Stream.timeout(SILENCE))

/**
 * The load: clients that submit, remember what was acknowledged, follow some of it, and cancel some of it. An answer that
 * does not come is no acknowledgement; whether the task exists then is nobody's claim.
 */
import { ask } from "@englog/e2e/Person"
import { TaskView } from "@englog/rpc/http/TaskView"
import { Duration, Effect, FiberSet, Option, Schedule, Schema } from "effect"
import * as path from "node:path"
import type { Account, Door } from "./Accounts.ts"
import { Acknowledged, Blunder, CancelAnswer, Received } from "./Evidence.ts"
import { follow } from "./Follower.ts"
import { monotonic } from "./HandlerLog.ts"
import * as Journal from "./Journal.ts"
import { type SeededRandom, split } from "./SeededRandom.ts"
import { next } from "./Submission.ts"
import { submit } from "./Submitter.ts"

export interface LoadOptions {
  readonly folder: string
  readonly seed: number
  readonly accounts: readonly [Account, ...Array<Account>]
  readonly perSecond: number
  /** Tasks that have not ended. */
  readonly open: Effect.Effect<number>
}

/** More open tasks than this and clients wait: a long queue would hide what a fault does to those who are at work. */
const CROWD = 250

export const journals = (folder: string) => ({
  acknowledged: path.join(folder, "acknowledged.jsonl"),
  blunders: path.join(folder, "blunders.jsonl"),
  cancels: path.join(folder, "cancels.jsonl"),
  received: path.join(folder, "received.jsonl")
})

const CLIENTS = 24
/** Of the tasks. */
const FOLLOWED = 0.08
const FOLLOWED_TWICE = 0.2
const CANCELLED = 0.06

export interface Load {
  readonly subscriptions: ReadonlyArray<{ readonly subscriber: string; readonly task: string }>
  /** Waits for those who still follow. */
  readonly followedToTheEnd: Effect.Effect<void>
}

/** Submits for `duration`; followers live as long as the scope. */
export const run = Effect.fn("Clients.run")(function*({ accounts, folder, open, perSecond, seed }: LoadOptions, duration: Duration.Duration) {
  const files = journals(folder)
  const acknowledged = Journal.open(files.acknowledged, Acknowledged)
  const blunders = Journal.open(files.blunders, Blunder)
  const cancels = Journal.open(files.cancels, CancelAnswer)
  const received = Journal.open(files.received, Received)
  const subscriptions: Array<{ readonly subscriber: string; readonly task: string }> = []
  const followers = yield* FiberSet.make<void>()
  const beside = yield* FiberSet.make<void>()

  const attend = Effect.fnUntraced(function*(task: string, account: Account, random: SeededRandom) {
    if (random.chance(FOLLOWED)) {
      for (const by of random.chance(FOLLOWED_TWICE) ? ["sse", "rpc"] as const : [random.pick(["sse", "rpc"] as const)]) {
        const subscriber = `${by}-${subscriptions.length}`
        subscriptions.push({ subscriber, task })
        yield* FiberSet.run(followers, follow({ subscriber, task, account, by, random: split(seed, subscriber), journal: received }))
      }
    }
    if (random.chance(CANCELLED)) {
      const wait = random.between(0, 1_500)
      yield* FiberSet.run(beside, Effect.delay(cancel(random.pick(account.doors), task, cancels), wait))
    }
  })

  /** All clients together keep the pace: what an outage cost is made up for after it. */
  const started = monotonic()
  let accepted = 0
  const pace = Effect.suspend(() => Effect.sleep(Math.max(10, started + 1_000 * accepted / perSecond - monotonic()))).pipe(
    Effect.repeat({ while: () => crowded })
  )
  let crowded = false
  yield* Effect.forkScoped(
    Effect.tap(open, (count) => Effect.sync(() => void (crowded = count > CROWD))).pipe(Effect.repeat(Schedule.spaced("1 second")))
  )

  const client = Effect.fnUntraced(function*(number: number) {
    const random = split(seed, `client ${number}`)
    for (let door = number, turn = 0;; turn++) {
      const account = random.pick(accounts)
      const fresh: Array<string> = []
      const answered = yield* submit(account, door, next(random, `client-${number}-${turn}`), {
        accepted: (one) => {
          accepted++
          acknowledged.write(one)
          fresh.push(one.task)
        },
        blundered: blunders.write
      })
      // Whoever got no answer knocks elsewhere.
      if (!answered || random.chance(0.2)) door++
      for (const task of fresh) yield* attend(task, account, random)
      yield* pace
    }
  })

  yield* Effect.forEach(Array.from({ length: CLIENTS }, (_, number) => number), client, { concurrency: CLIENTS, discard: true }).pipe(
    Effect.timeoutOption(duration)
  )
  yield* FiberSet.awaitEmpty(beside)
  const load: Load = { subscriptions, followedToTheEnd: FiberSet.awaitEmpty(followers) }
  return load
})

/** Whatever takes longer counts as no answer. */
const PATIENCE = "4 seconds"

const decodeView = Schema.decodeOption(Schema.fromJsonString(TaskView))

/** Without an answer nothing is known, and nothing is claimed. */
const cancel = (door: Door, task: string, journal: Journal.Journal<CancelAnswer>) =>
  Effect.gen(function*() {
    const answer = yield* ask("POST", `${door.url}/v1/tasks/${task}/cancel`, { token: yield* door.token })
    const view = answer.status === 200 ? decodeView(answer.text) : Option.none<TaskView>()
    if (Option.isSome(view)) journal.write({ task, state: view.value.state })
  }).pipe(Effect.timeout(PATIENCE), Effect.ignore)

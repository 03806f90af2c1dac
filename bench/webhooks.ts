/**
 * `npm run bench:webhooks`: what the guarded client costs over a raw one, at 50 requests at a time against the same receiver, round
 * about; how many messages per second one worker of 50 slots delivers, from the first that arrives to the last; and 10,000 messages to
 * a receiver that fails a fifth of the time. The receiver is this process; API, PostgreSQL and worker are others.
 */
import { Installation } from "@englog/e2e/Installation"
import { ask, register } from "@englog/e2e/Person"
import { type Receiver, receiver } from "@englog/e2e/Receiver"
import { GuardedFetch } from "@englog/worker/web/GuardedFetch"
import { Duration, Effect, Schedule } from "effect"
import { Agent, request } from "undici"
import { distribution, note, report, rounded, timed } from "./Figures.ts"
import { runBench } from "./runBench.ts"

const CONCURRENCY = 50
const ROUNDS = 6
const PER_ROUND = 1_000
const PLAIN = 3_000
const FAILING = 10_000

const body = JSON.stringify({ type: "task.completed", data: { text: "x".repeat(300) } })
const headers = { "content-type": "application/json" }

const many = <A, E, R>(count: number, one: (n: number) => Effect.Effect<A, E, R>) =>
  Effect.forEach(Array.from({ length: count }, (_, n) => n), one, { concurrency: CONCURRENCY })

/** The two clients take turns, so that both see the same machine. */
const clients = Effect.fnUntraced(function*({ url }: Receiver) {
  const agent = yield* Effect.acquireRelease(Effect.sync(() => new Agent()), (one) => Effect.promise(() => one.destroy()))
  const { fetch } = yield* GuardedFetch.make({ allowPrivate: true })
  const raw = Effect.tryPromise(() => request(url, { dispatcher: agent, method: "POST", headers, body }).then((answer) => answer.body.text()))
  const guarded = fetch({ method: "POST", url, headers, body, maxBytes: 4_096, excess: "cut", timeout: Duration.seconds(20) })
  const [ofRaw, ofGuarded]: [Array<number>, Array<number>] = [[], []]
  for (let round = 0; round <= ROUNDS; round++) {
    const [first, second] = [yield* many(PER_ROUND, () => timed(raw)), yield* many(PER_ROUND, () => timed(guarded))]
    // The first one warms up.
    if (round === 0) continue
    ofRaw.push(...first.map(({ ms }) => ms))
    ofGuarded.push(...second.map(({ ms }) => ms))
  }
  const figures = { raw: distribution(ofRaw), guarded: distribution(ofGuarded) }
  return { ...figures, p99_overhead_ms: rounded(figures.guarded.p99_ms - figures.raw.p99_ms) }
})

/** Submits them, and waits until all have arrived. */
const delivered = Effect.fnUntraced(function*(api: string, token: string, to: Receiver, count: number) {
  const submission = yield* timed(many(count, (n) =>
    Effect.map(ask("POST", `${api}/api/background/tasks/webhook-delivery`, {
      token,
      body: { webhook_url: to.url, data: { n }, retry_policy: { max_retries: 40, base_delay: 0.2, backoff_factor: 1 } }
    }), ({ status }) => status)))
  const accepted = submission.value.filter((status) => status === 202).length
  const rest = yield* timed(Effect.sync(() => to.accepted.size).pipe(
    Effect.repeat({ until: (size) => size >= accepted, schedule: Schedule.spaced("20 millis") }),
    Effect.timeoutOption("4 minutes")
  ))
  const messages = [...to.accepted.values()]
  const bodies = new Set(messages.flatMap((all) => all.map((one) => one.body)))
  const seconds = (submission.ms + rest.ms) / 1_000
  return {
    accepted,
    delivered: to.accepted.size,
    lost: accepted - bodies.size,
    requests: to.requests(),
    came_twice_under_one_id: messages.filter((all) => all.length > 1).length,
    came_under_two_ids: to.accepted.size - bodies.size,
    seconds: rounded(seconds),
    submitted_per_second: rounded(count / (submission.ms / 1_000)),
    delivered_per_second: rounded(to.accepted.size / seconds)
  }
})

runBench(Effect.gen(function*() {
  const installation = yield* Installation
  const env = { WEB_ALLOW_PRIVATE: "true", MAX_QUEUED_PER_ORGANIZATION: "0", MAX_QUEUED_PER_QUEUE: "0" }
  yield* note(`${ROUNDS} rounds of ${PER_ROUND} requests of each client`)
  const client = yield* clients(yield* receiver(() => false))
  const api = yield* installation.startApi(env)
  yield* installation.startWorker("bench", { ...env, WORKER_MAX_CONCURRENT: String(CONCURRENCY) })
  const ada = yield* register(api.url, "bench@example.com")
  yield* note(`${PLAIN} messages to a receiver that works`)
  const working = yield* delivered(api.url, ada.token, yield* receiver(() => false), PLAIN)
  yield* note(`${FAILING} messages to a receiver that fails a fifth of the time`)
  const failing = yield* delivered(api.url, ada.token, yield* receiver((n) => n % 5 === 0 ? "answered" : false), FAILING)
  yield* report("webhooks", { concurrency: CONCURRENCY, client, working, failing })
}), "15 minutes")

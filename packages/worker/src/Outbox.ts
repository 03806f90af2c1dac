/**
 * What this worker has to say about tasks, gathered to one message per turn of the scheduler, and under load to one per
 * `MOMENT`: each message costs both sides and PostgreSQL a round trip. Outcomes stay here until the API server
 * acknowledged them: across reconnects and its restarts, each new stream begins with all that is still open. An outcome that
 * the server refuses because nobody waits for it is dropped with a word in the log.
 *
 * Handing in is a plain function call: thousands of outcomes a second cost no fiber each.
 */
import type { FromServer, NumberedOutcome, RefusedOutcome, TaskStep } from "@englog/rpc/grpc/SessionMessages"
import * as Session from "@englog/rpc/grpc/SessionMessages"
import { MAX_REASON_LENGTH, MAX_REPORTS, MAX_RESULT_BYTES } from "@englog/rpc/grpc/WireLimits"
import type { AttemptOutcome, HeldTask } from "@englog/rpc/grpc/WorkerMessages"
import { Clock, Context, Effect, Latch, Layer, Queue, Ref } from "effect"
import { AppConfig } from "./AppConfig.ts"
import { AttemptLedger } from "./AttemptLedger.ts"

export interface Report extends HeldTask {
  readonly outcome: AttemptOutcome
  /** Of the attempt's span where its trace is sampled, else empty. */
  readonly traceparent: string
}

interface Pending {
  readonly report: NumberedOutcome
  readonly settled: () => void
}

export class Outbox extends Context.Service<Outbox, {
  /** Calls `settled` once the outcome is acknowledged, or known to be of no use. */
  readonly handIn: (report: Report, settled?: () => void) => void
  /** News, not state: what is said while there is no stream is dropped. */
  readonly step: (step: TaskStep) => void
  /** These were delivered and not started. */
  readonly giveBack: (held: ReadonlyArray<HeldTask>) => void
  readonly setWindow: (window: number) => void
  readonly window: () => number
  /** Begins a stream: all that is still open is said again. Only one stream at a time takes from here. */
  readonly begin: Effect.Effect<void>
  readonly received: (delivery: number) => void
  readonly answerPing: (sequence: bigint) => void
  readonly answered: (answers: Pick<FromServer, "accepted" | "refused">) => Effect.Effect<void>
  /** Reports again what could not be recorded before. */
  readonly sayAgain: () => void
  /** Waits until there is something to say. */
  readonly next: Effect.Effect<Session.FromWorker>
  /** Waits until nothing is open. */
  readonly empty: Effect.Effect<void>
}>()("@englog/worker/Outbox") {
  static readonly layer = Layer.effect(Outbox, Effect.suspend(() => make))
}

/** Bytes of results and reasons in one message; a message has at most 4 MiB, and one result 1 MiB. */
const FULL = 2 * 1024 * 1024
/** Milliseconds between two messages, unless the second has to tell of more than a quarter of the window. */
const MOMENT = 10

const make = Effect.gen(function*() {
  const ledger = yield* AttemptLedger
  const { slotHeld } = yield* AppConfig
  const open = new Map<number, Pending>()
  const waiting = yield* Queue.sliding<void>(1)
  const worthIt = yield* Latch.make(false)
  const nothingOpen = yield* Latch.make(true)
  const laterOnes = new Set<number>()
  let numbers = 0
  let window = 0
  let outcomes: Array<NumberedOutcome> = []
  let steps: Array<TaskStep> = []
  let returned: Array<HeldTask> = []
  let delivery = 0
  let announcedWindow = 0
  let ping: bigint | undefined
  let lastMessage = 0

  const wake = () => void Queue.offerUnsafe(waiting, undefined)

  const submit = (report: Report, settled: () => void) => {
    numbers += 1
    const numbered: NumberedOutcome = { ...report, number: numbers }
    open.set(numbers, { report: numbered, settled })
    outcomes.push(numbered)
    wake()
    if (isMuch()) worthIt.openUnsafe()
  }

  /** A slot that is held waits for the answer. */
  const isMuch = () => slotHeld || outcomes.length * 4 > window

  const settle = (number: number): Pending | undefined => {
    const pending = open.get(number)
    if (pending === undefined) return undefined
    open.delete(number)
    const { outcome } = pending.report
    if (outcome._tag !== "Cancelled") ledger.count(outcome._tag === "Completed" ? "completed" : "failed")
    ledger.end(pending.report)
    pending.settled()
    if (open.size === 0) nothingOpen.openUnsafe()
    return pending
  }

  const refuse = Effect.fnUntraced(function*({ number, reason, refusal }: RefusedOutcome) {
    const pending = open.get(number)
    if (pending === undefined) return
    const { attempt, outcome, task_id, traceparent } = pending.report
    const note = { operation: "report_outcome", task_id, attempt, reason }
    if (refusal === "later") {
      laterOnes.add(number)
      return yield* Effect.logDebug("an outcome could not be handed in yet").pipe(Effect.annotateLogs(note))
    }
    if (refusal === "invalid" && outcome._tag === "Completed") {
      open.delete(number)
      submit(
        { task_id, attempt, traceparent, outcome: { _tag: "Failed", error: fittingReason(`the API server refused the result: ${reason}`), retryable: false } },
        pending.settled
      )
      return yield* Effect.logWarning("the API server refused a result").pipe(Effect.annotateLogs(note))
    }
    settle(number)
    yield* Effect.logWarning("dropped an outcome that nobody waits for").pipe(Effect.annotateLogs(note))
  })

  /** As many as fit a message; the rest goes into the next. */
  const takeOutcomes = (): ReadonlyArray<NumberedOutcome> => {
    let bytes = 0
    let count = 0
    for (const { outcome } of outcomes) {
      bytes += outcome._tag === "Completed" ? Buffer.byteLength(outcome.result) : Buffer.byteLength(outcome.error) + detailBytes(outcome)
      if (count > 0 && (bytes > FULL || count === MAX_REPORTS)) break
      count += 1
    }
    const taken = count === outcomes.length ? outcomes : outcomes.slice(0, count)
    outcomes = taken === outcomes ? [] : outcomes.slice(count)
    return taken
  }

  /** Whatever else happens in this turn of the scheduler, or until the moment is over, goes into the same message. */
  const pause = Effect.flatMap(Clock.currentTimeMillis, (now) => {
    const left = lastMessage + MOMENT - now
    if (left <= 0 || isMuch()) return Effect.yieldNow
    return Effect.asVoid(Effect.timeoutOption(worthIt.await, left))
  })

  const gather = Effect.gen(function*() {
    lastMessage = yield* Clock.currentTimeMillis
    worthIt.closeUnsafe()
    const draining = yield* Ref.get(ledger.draining)
    const message = Session.fromWorker({
      steps: steps.splice(0, MAX_REPORTS),
      outcomes: takeOutcomes(),
      returned_tasks: returned.splice(0, MAX_REPORTS),
      received_delivery: delivery,
      window: window === announcedWindow ? 0 : window,
      ping_answer: ping === undefined ? undefined : {
        sequence: ping,
        status: draining ? "draining" : ledger.held.size > 0 ? "busy" : "idle",
        held_tasks: [...ledger.held.values()]
      }
    })
    delivery = 0
    announcedWindow = window
    ping = undefined
    if (outcomes.length > 0 || steps.length > 0 || returned.length > 0) wake()
    return message
  })

  return Outbox.of({
    handIn: (report, settled = () => {}) => {
      if (open.size === 0) nothingOpen.closeUnsafe()
      submit({ ...report, outcome: fitting(report.outcome) }, settled)
    },
    step: (step) => {
      steps.push(step)
      wake()
    },
    giveBack: (held) => {
      for (const one of held) {
        ledger.end(one)
        returned.push(one)
      }
      if (held.length > 0) wake()
    },
    setWindow: (wanted) => {
      if (wanted === window) return
      window = wanted
      wake()
    },
    window: () => window,
    begin: Effect.sync(() => {
      // Whatever was given back is not named among what is held, which says the same.
      steps = []
      returned = []
      delivery = 0
      ping = undefined
      announcedWindow = window
      laterOnes.clear()
      outcomes = [...open.values()].map(({ report }) => report)
      if (outcomes.length > 0) wake()
    }),
    received: (newest) => {
      delivery = newest
      wake()
    },
    answerPing: (sequence) => {
      ping = sequence
      wake()
    },
    answered: Effect.fnUntraced(function*({ accepted, refused }) {
      for (const number of accepted) settle(number)
      for (const one of refused) yield* refuse(one)
    }),
    sayAgain: () => {
      for (const number of laterOnes) {
        const pending = open.get(number)
        if (pending !== undefined) outcomes.push(pending.report)
      }
      if (laterOnes.size > 0) wake()
      laterOnes.clear()
    },
    next: Queue.take(waiting).pipe(Effect.andThen(pause), Effect.andThen(gather), Effect.repeat({ until: saysSomething })),
    empty: nothingOpen.await
  })
})

const saysSomething = (message: Session.FromWorker): boolean =>
  message.outcomes.length + message.steps.length + message.returned_tasks.length + message.received_delivery + message.window > 0 ||
  message.ping_answer !== undefined

const detailBytes = (outcome: AttemptOutcome): number => outcome._tag === "Failed" ? Buffer.byteLength(outcome.detail ?? "") : 0

/** Characters. */
const MAX_DETAIL = 100_000

const fittingReason = (error: string): string => error.slice(0, MAX_REASON_LENGTH).replaceAll("\u0000", "").toWellFormed()

/** What the server would refuse is not sent: a result that is too large becomes a failure, a reason is cut and cleaned. */
const fitting = (outcome: AttemptOutcome): AttemptOutcome => {
  if (outcome._tag === "Failed" && outcome.detail !== undefined && (outcome.detail.length > MAX_DETAIL || outcome.detail.includes("\u0000"))) {
    const { detail: _, ...rest } = outcome
    return { ...rest, error: fittingReason(outcome.error) }
  }
  if (outcome._tag !== "Completed") return { ...outcome, error: fittingReason(outcome.error) }
  if (outcome.result.includes("\u0000")) {
    return { _tag: "Failed", error: "the result holds a NUL character, which cannot be stored", retryable: false }
  }
  return outcome.result.length > MAX_RESULT_BYTES / 3 && Buffer.byteLength(outcome.result) > MAX_RESULT_BYTES
    ? { _tag: "Failed", error: `the result is larger than ${MAX_RESULT_BYTES} bytes`, retryable: false }
    : outcome
}

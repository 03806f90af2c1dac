/** The state of a worker as metrics, read when somebody looks; what happens in it is counted where it happens. */
import { metricReader } from "@englog/platform/telemetry/MetricReaders"
import { Metrics } from "@englog/platform/telemetry/Metrics"
import { Effect, Option, SubscriptionRef } from "effect"
import { ApiLink } from "./ApiLink.ts"
import { AttemptLedger } from "./AttemptLedger.ts"
import type { CircuitBreaker, CircuitState } from "./CircuitBreaker.ts"
import { isServing } from "./LinkState.ts"
import { ModelCalls } from "./llm/ModelCalls.ts"
import { ModelChoice } from "./llm/ModelChoice.ts"

const services = Effect.all({ link: ApiLink, ledger: AttemptLedger, models: ModelChoice, calls: ModelCalls })

const read = Effect.fnUntraced(function*({ ledger, link, models, calls }: Effect.Success<typeof services>) {
  yield* Metrics.workerActive.set({}, ledger.held.size)
  yield* Metrics.workerConnected.set({}, isServing(yield* SubscriptionRef.get(link.state)) ? 1 : 0)
  yield* Metrics.breakerState.replace([...yield* circuit("llm", calls.breaker), ...yield* circuit("registration", link.registrationBreaker)])
  const asked = Option.match(yield* models.lastKnown, { onNone: () => [], onSome: (choice) => choice.asked })
  yield* Metrics.modelAvailable.replace(asked.map(({ available, model, system }) => [{ provider: system, model }, available ? 1 : 0]))
})

const states: ReadonlyArray<CircuitState> = ["closed", "open", "half-open"]

const circuit = (name: string, breaker: CircuitBreaker) =>
  Effect.map(breaker.state, (current) => states.map((state) => [{ breaker: name, state }, state === current ? 1 : 0] as const))

export const layer = metricReader(Effect.map(services, read))

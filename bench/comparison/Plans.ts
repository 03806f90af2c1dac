/** What the command line asks for. */
import { Effect } from "effect"
import type { Plan } from "./Comparison.ts"
import type { Sizes } from "./Measurements.ts"
import { BenchError } from "./Processes.ts"
import { metrics } from "./System.ts"
import { systemsOf } from "./Systems.ts"

export interface Wishes {
  readonly quick: boolean
  readonly only?: string | undefined
  readonly systems?: string | undefined
  readonly runs?: string | undefined
  readonly profile?: string | undefined
  readonly redisUrl: string | undefined
}

const full: Sizes = { enqueueMs: 3_000, drain: 20_000, drainMs: 8_000, pickups: 200, steadySeconds: 10, listeners: 1_000, recoveryMs: 75_000 }
const quick: Sizes = { enqueueMs: 1_000, drain: 4_000, drainMs: 3_000, pickups: 60, steadySeconds: 3, listeners: 1_000, recoveryMs: 20_000 }

/** As long as V8 needs to compile what is hot. */
const warmUpOf = (sizes: Sizes): Sizes => ({ ...sizes, enqueueMs: 1_000, drainMs: 2_000, drain: Math.min(sizes.drain, 5_000), pickups: 20, steadySeconds: 2 })

const chosen = <A extends string>(all: ReadonlyArray<A>, wish: string | undefined) => {
  if (wish === undefined) return Effect.succeed(all)
  const names = wish.split(",")
  const unknown = names.filter((name) => !all.some((one) => one === name))
  return unknown.length === 0
    ? Effect.succeed(all.filter((one) => names.includes(one)))
    : Effect.fail(new BenchError({ system: "", message: `there is no ${unknown.join(", ")}; there are ${all.join(", ")}` }))
}

export const planOf = Effect.fnUntraced(function*(wishes: Wishes): Effect.fn.Return<Plan, BenchError> {
  const sizes = wishes.quick ? quick : full
  const all = systemsOf({ historyRows: wishes.quick ? 50_000 : 1_000_000, redisUrl: wishes.redisUrl })
  const names = yield* chosen(all.map(({ name }) => name), wishes.systems)
  return {
    systems: all.filter(({ name }) => names.includes(name)),
    metrics: yield* chosen(metrics, wishes.only),
    runs: wishes.runs === undefined ? (wishes.quick ? 1 : 3) : Number(wishes.runs),
    sizes,
    warmUp: warmUpOf(sizes),
    profile: wishes.profile
  }
})

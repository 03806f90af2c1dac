/** What clients submit, drawn from their seed: insights, tasks of a kind that only the workers know, many at once, families. */
import { draw } from "./Behaviour.ts"
import { CHAOS } from "./ChaosKind.ts"
import type { SeededRandom } from "./SeededRandom.ts"

/** `after`: places of earlier tasks in the same list, which have to complete first. */
export interface Wanted {
  readonly unique_key: string | undefined
  readonly request: Readonly<Record<string, unknown>>
}

export type Submission =
  | { readonly _tag: "Insight" }
  | { readonly _tag: "One"; readonly by: "rest" | "rpc"; readonly task: Wanted }
  | { readonly _tag: "Bulk"; readonly tasks: ReadonlyArray<Wanted> }
  /** Each of `children` starts after all of `parents`. */
  | { readonly _tag: "Family"; readonly parents: ReadonlyArray<Wanted>; readonly children: ReadonlyArray<Wanted> }

export const next = (random: SeededRandom, name: string): Submission => {
  const kind = random.next()
  const many = (count: number) => Array.from({ length: count }, (_, index) => wanted(random, `${name}-${index}`))
  if (kind < 0.15) return { _tag: "Insight" }
  if (kind < 0.75) return { _tag: "One", by: random.pick(["rest", "rpc"] as const), task: wanted(random, name) }
  if (kind < 0.85) return { _tag: "Bulk", tasks: many(random.between(2, 25)) }
  const [parents, children] = [random.between(1, 3), random.between(1, 2)]
  const family = many(parents + children)
  return { _tag: "Family", parents: family.slice(0, parents), children: family.slice(parents) }
}

const DEADLINE_SECONDS = 120

const wanted = (random: SeededRandom, name: string): Wanted => {
  const unique_key = random.chance(0.5) ? name : undefined
  const request = {
    task_type: CHAOS,
    payload: draw(random),
    priority: random.between(1, 10),
    deadline: DEADLINE_SECONDS,
    retry_policy: { max_retries: 2, base_delay: 0.3, backoff_factor: 2, max_delay: 2 },
    ...random.chance(0.06) ? { delay: random.between(1, 4) } : {},
    ...unique_key === undefined ? {} : { unique_key }
  }
  return { unique_key, request }
}

/** One way of being wrong, as what it changes in a valid request. */
import type * as fc from "fast-check"
import type { Baseline } from "./Baseline.ts"
import type { HostileRequest } from "./HostileRequest.ts"
import { nameOf } from "./Operation.ts"

export interface Attack {
  readonly name: string
  readonly requests: fc.Arbitrary<HostileRequest>
}

/** What is put in the place of something valid. */
export type Change = Partial<Omit<HostileRequest, "attack" | "operation">> & {
  /** Instead of, or without, the headers of the same name. */
  readonly without?: ReadonlyArray<string>
}

export type Attacks = ReadonlyArray<readonly [name: string, changes: fc.Arbitrary<Change>]>

export const changed = (baseline: Baseline, attack: string, { headers = [], without = [], ...change }: Change): HostileRequest => {
  const replaced = new Set([...without, ...headers.map(([name]) => name)])
  const type = baseline.raw?.type ?? (baseline.body === undefined ? undefined : "application/json")
  const valid: ReadonlyArray<readonly [string, string]> = [
    ["authorization", `Bearer ${baseline.token}`],
    ...(type === undefined ? [] : [["content-type", type] as const]),
    ...Object.entries(baseline.headers)
  ]
  return {
    attack,
    operation: nameOf(baseline.operation),
    method: baseline.operation.method,
    target: baseline.target,
    ...(type === undefined ? {} : { body: Buffer.from(baseline.raw?.text ?? JSON.stringify(baseline.body)) }),
    ...change,
    headers: [...valid.filter(([name]) => !replaced.has(name)), ...headers]
  }
}

/** Whatever is called `start…` or `…_start` must not lie after its twin. */
export const twins = (names: ReadonlyArray<string>): ReadonlyArray<readonly [start: string, end: string]> =>
  names.flatMap((name) => {
    const twin = name.replace(/(^|_)start(_|$)/, "$1end$2")
    return twin !== name && names.includes(twin) ? [[name, twin] as const] : []
  })

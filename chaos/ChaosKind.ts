/** The kind of task that the run's own workers bring along. */
import { Schema } from "effect"
import { Behaviour } from "./Behaviour.ts"

export const CHAOS = "CHAOS"

export const ChaosKind = {
  kind: CHAOS,
  payload: Behaviour,
  result: Schema.Struct({ attempt: Schema.Int })
}

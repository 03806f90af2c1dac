/** What a run must not have done. */
import type { Evidence } from "../Evidence.ts"

export interface Violation {
  readonly rule: string
  /** The task it concerns; empty where it concerns none. */
  readonly task: string
  readonly what: string
}

/** A rule over the evidence: none is broken where it answers nothing. */
export type Check = (evidence: Evidence) => ReadonlyArray<Violation>

export const terminal = new Set(["completed", "failed", "cancelled", "expired"])

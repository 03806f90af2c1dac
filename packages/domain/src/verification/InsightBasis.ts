/**
 * What is kept with an insight so that it can be verified later: what was asked, digests of the records it rests on, and which
 * sentence states which facts.
 */
import { Schema } from "effect"
import { Statement } from "../insights/Insight.ts"
import { Basis } from "./Basis.ts"

export const InsightBasis = Schema.Struct({
  /** The task's; its own record is kept for a shorter time. */
  kind: Schema.Literals(["INSIGHT_GENERATION", "WEEKLY_REPORT"]),
  payload: Schema.String,
  private_input: Schema.NullOr(Schema.String),
  records: Basis,
  statements: Schema.Array(Statement)
})
export type InsightBasis = typeof InsightBasis.Type

/**
 * The weight of an entry: value (low 1, medium 2, high 3) times impact (personal 1, team 2, product 3, company 4), after
 * seed 004, "Advanced Analytics Features". 1 is the least, 12 the most.
 */
import type { Measured } from "./ActivityGroups.ts"

const VALUE_WEIGHT = { low: 1, medium: 2, high: 3 } as const
const IMPACT_WEIGHT = { personal: 1, team: 2, product: 3, company: 4 } as const

export const MAX_VALUE_IMPACT = 12

export const valueImpact = (entry: Measured): number =>
  VALUE_WEIGHT[entry.value_rating] * IMPACT_WEIGHT[entry.impact_level]

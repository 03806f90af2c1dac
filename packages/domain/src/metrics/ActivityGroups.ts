/**
 * Which kinds of work count as focused and which as collaboration (product.md, "EngLog itself"; seed 004, "Advanced
 * Analytics Features").
 */
import type { FactEntry } from "../facts/Fact.ts"

/** What of an entry the metrics are made of. */
export type Measured = Pick<FactEntry, "type" | "duration_minutes" | "value_rating" | "impact_level">

const FOCUS_TYPES: ReadonlySet<string> = new Set(["code", "debug", "docs"])
const COLLABORATION_TYPES: ReadonlySet<string> = new Set(["meeting", "mentoring", "review"])

/** Shortest entry, in minutes, that counts as focus time. */
export const FOCUS_MINUTES = 60

/** Code, debug or docs, whatever its length. */
export const isFocusType = (entry: Measured): boolean => FOCUS_TYPES.has(entry.type)

/** Code, debug or docs of at least `FOCUS_MINUTES`. */
export const isFocusTime = (entry: Measured): boolean => isFocusType(entry) && entry.duration_minutes >= FOCUS_MINUTES

export const isCollaboration = (entry: Measured): boolean => COLLABORATION_TYPES.has(entry.type)

export const isHighValue = (entry: Measured): boolean => entry.value_rating === "high"

/** Product or company: the seed counts them together. */
export const isWideImpact = (entry: Measured): boolean =>
  entry.impact_level === "product" || entry.impact_level === "company"

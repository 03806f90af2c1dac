/**
 * A focus block: uninterrupted code, debug or docs.
 *
 * Rule: in the order of their starts, an entry of these types joins the block before it when no entry of another type
 * started in between and the pause since the block's end is at most `MAX_PAUSE_MINUTES`. Minutes that two entries of a
 * block cover together count once; pauses do not count.
 */
import { DateTime } from "effect"
import { isFocusType } from "../metrics/ActivityGroups.ts"
import type { PlacedEntry } from "./LocalTime.ts"

export const MAX_PAUSE_MINUTES = 15

const MINUTE_MS = 60_000

export interface FocusBlock {
  readonly members: ReadonlyArray<PlacedEntry>
  readonly minutes: number
}

/** In the order of their starts. */
export const focusBlocks = (placed: ReadonlyArray<PlacedEntry>): ReadonlyArray<FocusBlock> => {
  const blocks: Array<{ members: Array<PlacedEntry>; minutes: number; end: number }> = []
  let open = false
  for (const one of placed) {
    if (!isFocusType(one.entry)) {
      open = false
      continue
    }
    const end = DateTime.toEpochMillis(one.entry.end_time)
    const block = blocks.at(-1)
    if (open && block !== undefined && one.start - block.end <= MAX_PAUSE_MINUTES * MINUTE_MS) {
      block.members.push(one)
      block.minutes += one.start >= block.end
        ? one.entry.duration_minutes
        : Math.max(0, Math.floor((end - block.end) / MINUTE_MS))
      block.end = Math.max(block.end, end)
    } else {
      blocks.push({ members: [one], minutes: one.entry.duration_minutes, end })
      open = true
    }
  }
  return blocks
}

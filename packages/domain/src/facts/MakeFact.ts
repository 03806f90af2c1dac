/**
 * Builds one fact. Values come from our own arithmetic and ids from our own entries, so the schema's checks are skipped:
 * a sheet names every entry many times over.
 */
import { Fact, FactId } from "./Fact.ts"
import type { FactUnit } from "./Fact.ts"
import { factText } from "./FactText.ts"
import type { PlacedEntry } from "./LocalTime.ts"

export interface FactParts {
  readonly id: string
  readonly label: string
  readonly value: number
  readonly unit: FactUnit
  /** The entries the figure stands on; of a share, those in the numerator (the whole is `total.time`). */
  readonly on: ReadonlyArray<PlacedEntry>
  /** Only where the figure is printed otherwise than its unit says. */
  readonly text?: string
}

export const makeFact = (parts: FactParts): Fact =>
  new Fact({
    id: FactId.make(parts.id),
    label: parts.label,
    value: parts.value,
    unit: parts.unit,
    text: parts.text ?? factText(parts.value, parts.unit),
    entry_ids: parts.on.map(({ entry }) => entry.id)
  }, { disableChecks: true })

/** Text of other systems, cut to what an entry holds: a proposal can be corrected, an item that is refused is lost. */
import type { ImportProblem } from "@englog/domain/imports/ImportedItem"

/** What no database keeps is left out; `…` stands for what was cut off. */
export const textOf = (text: string, max: number): string => {
  const storable = text.replaceAll("\u0000", "").toWellFormed().trim()
  const characters = [...storable.slice(0, 2 * max + 2)]
  return characters.length <= max ? storable : `${characters.slice(0, max - 1).join("").trimEnd()}…`
}

export const titleOf = (text: string): string => {
  const title = textOf(text.replace(/\s+/g, " "), 200)
  return title === "" ? "(no title)" : title
}

export const descriptionOf = (text: string): string | null => {
  const description = textOf(text, 2_000)
  return description === "" ? null : description
}

/** As tags are written: lower case, each once, at most 50. */
export const tagsOf = (names: ReadonlyArray<string>): ReadonlyArray<string> =>
  [...new Set(names.map((name) => textOf(name.replace(/\s+/g, " "), 50).toLowerCase()).filter((name) => name !== ""))].slice(0, 50)

/** What could not be read; what is not told is not known. */
export const problemOf = (problem: Partial<ImportProblem> & Pick<ImportProblem, "error">): ImportProblem => ({
  index: problem.index ?? null,
  row: problem.row ?? null,
  field: problem.field === undefined || problem.field === null ? null : textOf(problem.field, 100),
  item: problem.item === undefined || problem.item === null ? null : textOf(problem.item, 200),
  error: textOf(problem.error, 1_000)
})

/**
 * Takes `[[entry-id]]` out of a text. The brackets may hold several ids; a known id in single brackets counts too, since
 * small models write that. What the brackets hold is never text: an unknown id is dropped with them.
 */
import type { EntryId } from "../Ids.ts"

const CITATION = /\[\[([^[\]\n]{0,400})\]\]|\[([0-9a-fA-F]{8}-[0-9a-fA-F-]{27})\]/g
/** Stands where a citation stood until the space and brackets around it are tidied; stripped from the draft beforehand. */
const MARK = "\uE001"

export interface Cited {
  readonly text: string
  readonly entryIds: ReadonlyArray<EntryId>
}

/** `known` maps the lower-case text of every entry in scope to its id. */
export const takeCitations = (text: string, known: ReadonlyMap<string, EntryId>): Cited => {
  const entryIds = new Set<EntryId>()
  const marked = text.replace(CITATION, (whole, list: string | undefined, single: string | undefined) => {
    const ids = (list ?? single ?? "").split(/[,;\s]+/).flatMap((id) => known.get(id.toLowerCase()) ?? [])
    ids.forEach((id) => entryIds.add(id))
    return list === undefined && ids.length === 0 ? whole : MARK
  })
  return { text: marked.includes(MARK) ? tidied(marked) : text, entryIds: [...entryIds] }
}

/** "done [[a]], [[b]]." → "done."; "done ([[a]])" → "done"; a line that held nothing else goes. */
const tidied = (marked: string): string =>
  marked
    .replace(/\uE001(?:[ \t]{0,4}[,;&]?[ \t]{0,4}(?:and )?\uE001)+/g, MARK)
    .replace(/[([][ \t]{0,4}\uE001[ \t]{0,4}[)\]]/g, MARK)
    .replace(/[ \t]{0,4}\uE001(?=[ \t]*$|[ \t]?[.,;:!?)|\n])/gm, "")
    .replace(/[ \t]{0,4}\uE001/g, "")
    .split("\n")
    .filter((line) => line.trim() !== "")
    .join("\n")
    .replace(/^[ \t]+/, "")

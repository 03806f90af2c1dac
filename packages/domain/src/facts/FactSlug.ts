/**
 * The part of a fact id that stands for a project or a tag.
 *
 * A name that is a slug already stands for itself; any other is spelled in ASCII and followed by a checksum of the exact
 * name. So the id of a name does not depend on which other names occur, and names that differ only in case, accents or
 * punctuation keep apart.
 */

/** Stands for "no project"; no name yields it, because slugs begin with a letter or digit. */
export const NO_NAME = "_none"

const SLUG = /^[a-z0-9]+(-[a-z0-9]+)*$/
const MAX_READABLE = 40

export const factSlug = (name: string): string => {
  if (name.length <= MAX_READABLE && SLUG.test(name)) return name
  const words = name.slice(0, 4 * MAX_READABLE).normalize("NFKD").toLowerCase().split(/[^a-z0-9]+/)
  const readable = words.filter((word) => word !== "").join("-").slice(0, MAX_READABLE)
  return `${readable === "" ? "name" : readable}-${checksum(name)}`
}

/**
 * Slugs of several distinct names. Should two checksums ever meet, the later name in code-unit order gets a counter: within
 * one sheet an id never stands for two names.
 */
export const factSlugs = (names: Iterable<string>): ReadonlyMap<string, string> => {
  const slugs = new Map<string, string>()
  const taken = new Set<string>()
  for (const name of [...new Set(names)].sort()) {
    const base = factSlug(name)
    let slug = base
    for (let n = 2; taken.has(slug); n++) slug = `${base}-${n}`
    taken.add(slug)
    slugs.set(name, slug)
  }
  return slugs
}

/** 32-bit FNV-1a (draft-eastlake-fnv) over the UTF-16 code units, as seven base-36 digits. */
const checksum = (text: string): string => {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  return (hash >>> 0).toString(36).padStart(7, "0")
}

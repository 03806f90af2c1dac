/** How an item is known again, and whether its source says what it said: by keyed digests, the one under the present key first. */
import type { ImportedItem } from "@englog/domain/imports/ImportedItem"
import { DateTime } from "effect"
import type { FieldCipher } from "./FieldCipher.ts"

type Cipher = FieldCipher["Service"]
type Hexes = readonly [string, ...ReadonlyArray<string>]

/** Of its name in its source. */
export const itemDigests = (cipher: Cipher, { external_id, occurrence }: Pick<ImportedItem, "external_id" | "occurrence">): Hexes =>
  hexes(cipher.digests(Buffer.from(JSON.stringify([external_id, occurrence])), "proposals.item_digest"))

type Said = Pick<ImportedItem, "title" | "description" | "start_time" | "end_time" | "all_day" | "tags" | "project">

/** Of everything by which one state of an item differs from another. */
export const contentDigests = (cipher: Cipher, item: Said): Hexes =>
  hexes(cipher.digests(Buffer.from(JSON.stringify([
    item.title, item.description, DateTime.toEpochMillis(item.start_time), DateTime.toEpochMillis(item.end_time), item.all_day, item.tags, item.project
  ])), "proposals.content_digest"))

/** What an item is called where one text is wanted. */
export const sourceIdOf = ({ external_id, occurrence }: Pick<ImportedItem, "external_id" | "occurrence">): string =>
  occurrence === "" ? external_id : `${external_id} ${occurrence}`

/** The name of which that was made. An occurrence that is not known counts as none. */
export const nameOf = (source_id: string, occurrence: string | null): Pick<ImportedItem, "external_id" | "occurrence"> =>
  occurrence === null || occurrence === ""
    ? { external_id: source_id, occurrence: "" }
    : { external_id: source_id.slice(0, -occurrence.length - 1), occurrence }

const hexes = ([first, ...rest]: readonly [Uint8Array, ...ReadonlyArray<Uint8Array>]): Hexes => [hex(first), ...rest.map(hex)]
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex")

/**
 * The words of entries as the database knows them (docs/decisions/0026): 64 bits of a keyed digest, another one for each user,
 * and for a title's word and a description's, so that a title, which is plain, tells nothing about descriptions.
 */
import type { UserId } from "@englog/domain/Ids"
import { wordsOf } from "@englog/domain/search/Words"
import type { FieldCipher } from "../crypto/FieldCipher.ts"

export interface SearchedText {
  readonly title: string
  readonly description: string | null
}

/** Decimal numbers, as JSON cannot hold them. */
type Digests = ReadonlyArray<string>

const purpose = "log_entries.word_digests"

const digestsOf = (cipher: FieldCipher["Service"], user: UserId, place: "title" | "description", word: string) =>
  cipher.digests(Buffer.from(`${user}/${place}/${word}`, "utf8"), purpose)
    .map((digest) => Buffer.from(digest).readBigInt64BE(0).toString())

/** All words of an entry under the newest key. */
export const wordDigests = (cipher: FieldCipher["Service"], user: UserId, { description, title }: SearchedText): Digests => {
  const of = (place: "title" | "description", text: string) =>
    wordsOf(text).flatMap((word) => digestsOf(cipher, user, place, word).slice(0, 1))
  return [...new Set([...of("title", title), ...of("description", description ?? "")])]
}

/** For each word of a search all that an entry may have for it, under every key of the ring: one of them is enough. */
export const searchedDigests = (cipher: FieldCipher["Service"], user: UserId, text: string): ReadonlyArray<Digests> =>
  wordsOf(text).map((word) => [...digestsOf(cipher, user, "title", word), ...digestsOf(cipher, user, "description", word)])

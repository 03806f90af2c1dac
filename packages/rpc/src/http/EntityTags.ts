/** Entity tags in headers (RFC 9110, sections 8.8.3 and 13.1): what a client has seen, so that it changes nothing else. */
import { Schema } from "effect"

const list = /^\s*(\*|(W\/)?"[\x21\x23-\x7e\x80-\xff]*"(\s*,\s*(W\/)?"[\x21\x23-\x7e\x80-\xff]*")*)\s*$/

const EntityTags = Schema.String.check(
  Schema.makeFilter<string>((text) => list.test(text) ? undefined : "must be * or entity tags in double quotes", {
    expected: "entity tags",
    toJsonSchema: () => [{}, true]
  })
)

export const ifMatch = {
  "if-match": Schema.optionalKey(EntityTags.annotate({ description: "The `etag` that the entry must still have; else 412." }))
}

export const ifNoneMatch = {
  "if-none-match": Schema.optionalKey(EntityTags.annotate({ description: "The `etag` that the caller has already; then 304." }))
}

export const etagHeader = { etag: Schema.String }

export const quoted = (etag: string): string => `"${etag}"`

/** `strong`: a weak tag matches nothing (RFC 9110, section 8.8.3.2). */
export const matches = (header: string, etag: string, comparison: "strong" | "weak"): boolean =>
  header.trim() === "*" || [...header.matchAll(/(W\/)?"([^"]*)"/g)].some(([, weak, tag]) =>
    tag === etag && (weak === undefined || comparison === "weak"))

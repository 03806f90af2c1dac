/** Entity tags in headers (RFC 9110, sections 8.8.3 and 13.1): what a client has seen, so that it changes nothing else. */
import { Schema } from "effect"
import { HttpApiSchema } from "effect/http-api"

const list = /^\s*(\*|(W\/)?"[\x21\x23-\x7e\x80-\xff]*"(\s*,\s*(W\/)?"[\x21\x23-\x7e\x80-\xff]*")*)\s*$/

/** Characters: some hundred tags. */
const MAX_LENGTH = 4_000

const EntityTags = Schema.String.check(
  Schema.makeFilter<string>((text) => list.test(text) ? undefined : "must be * or entity tags in double quotes", {
    expected: "entity tags",
    toJsonSchema: () => [{}, true]
  }),
  Schema.isMaxLength(MAX_LENGTH, { expected: `at most ${MAX_LENGTH} characters` })
).annotate({ examples: ["\"Jm0cZf0sT3mW0xq1o2L9hA\""] })

export const ifMatch = {
  "if-match": Schema.optionalKey(EntityTags.annotate({ description: "The `etag` that it must still have; else 412." }))
}

export const ifNoneMatch = {
  "if-none-match": Schema.optionalKey(EntityTags.annotate({ description: "The `etag` that the caller has already; then 304." }))
}

export const etagHeader = { etag: Schema.String }

/** A representation with its tag in the header. */
export const withEtagHeader = <S extends Schema.Top>(representation: S) => HttpApiSchema.WithHeaders(representation, etagHeader)

/** One that was made, with the path under which it is read. */
export const createdWithEtagHeader = <S extends Schema.Top>(representation: S) =>
  HttpApiSchema.WithHeaders(representation.pipe(HttpApiSchema.status(201)), { location: Schema.String, ...etagHeader })

/** What a GET with `If-None-Match` is answered. */
export const unlessKnown = <S extends Schema.Top>(representation: S) => [withEtagHeader(representation), HttpApiSchema.Empty(304)] as const

export const quoted = (etag: string): string => `"${etag}"`

/** `strong`: a weak tag matches nothing (RFC 9110, section 8.8.3.2). */
export const matches = (header: string, etag: string, comparison: "strong" | "weak"): boolean =>
  header.trim() === "*" || [...header.matchAll(/(W\/)?"([^"]*)"/g)].some(([, weak, tag]) =>
    tag === etag && (weak === undefined || comparison === "weak"))

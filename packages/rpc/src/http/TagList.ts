/**
 * Names of tags as a request sends them. How many there may be is a rule of the list as it is sent: the OpenAPI document shows
 * that side alone, and each name is normalized on the way in.
 */
import { Schema } from "effect"
import { TagName } from "./TagsApi.ts"

export const TagList = Schema.Array(Schema.toEncoded(TagName)).check(
  Schema.makeFilter<ReadonlyArray<string>>((tags) => tags.length <= 50 ? undefined : "must hold at most 50 tags", {
    expected: "at most 50 tags",
    toJsonSchema: () => [{ maxItems: 50 }, true]
  })
).pipe(Schema.decodeTo(Schema.Array(TagName)))

/**
 * Lists: `{items, next_cursor}`. A cursor is opaque; `next_cursor` is null on the last page.
 */
import { Schema, SchemaTransformation } from "effect"

const isLimit = (text: string) => /^([1-9][0-9]?|1[0-9][0-9]|200)$/.test(text)

const Limit = Schema.String.check(
  Schema.makeFilter<string>((text) => isLimit(text) ? undefined : "must be a whole number from 1 to 200", {
    expected: "a whole number from 1 to 200",
    toJsonSchema: () => [{ pattern: "^([1-9][0-9]?|1[0-9][0-9]|200)$" }, true]
  })
).annotate({ description: "How many items at most: 1 to 200, 50 where it is not given.", examples: ["50"] }).pipe(
  Schema.decodeTo(Schema.Int, SchemaTransformation.transform({ decode: Number, encode: String }))
)

/** Characters. None that is given out is half as long. */
const MAX_CURSOR = 1_000

/** Query parameters of every list. */
export const pageQuery = {
  limit: Schema.optionalKey(Limit),
  cursor: Schema.optionalKey(
    Schema.String.check(Schema.isMaxLength(MAX_CURSOR, { expected: `at most ${MAX_CURSOR} characters` })).annotate({
      description: "`next_cursor` of the page before."
    })
  )
}

export const defaultPageSize = 50

export const Page = <S extends Schema.Top>(item: S) =>
  Schema.Struct({ items: Schema.Array(item), next_cursor: Schema.NullOr(Schema.String) })

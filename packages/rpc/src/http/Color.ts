/** A colour as `#rrggbb`; capitals are taken and put in lower case. */
import { Schema, SchemaTransformation } from "effect"

export const Color = Schema.String.check(
  Schema.makeFilter<string>((text) => /^#[0-9a-fA-F]{6}$/.test(text) ? undefined : "must be a colour as #rrggbb, such as #1f77b4", {
    expected: "a colour as #rrggbb",
    toJsonSchema: () => [{ pattern: "^#[0-9a-fA-F]{6}$" }, true]
  })
).annotate({ examples: ["#1f77b4"] }).pipe(
  Schema.decodeTo(Schema.String, SchemaTransformation.transform({ decode: (text) => text.toLowerCase(), encode: (text) => text }))
)

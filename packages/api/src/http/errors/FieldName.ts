/** How an error names a field: `tags[1]`, `context.goal`. What a caller made up is cut short. */

/** Characters of a name that somebody else chose. */
const LONGEST = 100

/** Empty for an empty path, which is the whole. */
export const fieldName = (path: ReadonlyArray<PropertyKey>): string =>
  shortened(path.reduce<string>((name, key) =>
    typeof key === "number" ? `${name}[${key}]` : name === "" ? shortened(String(key)) : `${name}.${shortened(String(key))}`, ""))

export const shortened = (text: string): string => text.length <= LONGEST ? text : `${text.slice(0, LONGEST).toWellFormed()}…`

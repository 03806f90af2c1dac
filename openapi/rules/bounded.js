/** Of a parameter's schema: text, lists and numbers have limits, by whatever keyword. */
const formats = new Set(["uuid", "date", "date-time"])

const isBoundedPattern = (pattern) => /^\^.*\$$/s.test(pattern) && !/[^\\][*+]|\{\d*,\}/.test(pattern.replaceAll(/\[(\\.|[^\]])*\]/g, "x"))

const limits = {
  string: ({ const: one, enum: some, format, maxLength, pattern }) =>
    one !== undefined || some !== undefined || maxLength !== undefined || formats.has(format) || (pattern !== undefined && isBoundedPattern(pattern)),
  array: ({ maxItems }) => maxItems !== undefined,
  number: ({ enum: some, maximum, minimum }) => some !== undefined || (minimum !== undefined && maximum !== undefined)
}
limits.integer = limits.number

export default (schema) => {
  const { allOf = [], anyOf, oneOf, ...own } = schema
  const alternatives = anyOf ?? oneOf
  const whole = Object.assign({}, ...allOf, own)
  const unlimited = (alternatives ?? [whole]).filter(({ type, ...rest }) => limits[type]?.({ type, ...rest }) === false)
  return unlimited.length === 0 ? undefined : [{ message: `a ${unlimited[0].type} without limits: ${JSON.stringify(unlimited[0])}` }]
}

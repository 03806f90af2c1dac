/** Of an operation: an answer of `{items, next_cursor}` is a page, and `limit` and `cursor` ask for the next. `whole`: those that have one page only. */
export default (operation, { whole }) => {
  const properties = operation.responses?.[200]?.content?.["application/json"]?.schema?.properties ?? {}
  if (!("items" in properties && "next_cursor" in properties) || whole.includes(operation.operationId)) return undefined
  const taken = (operation.parameters ?? []).map(({ name }) => name)
  return ["limit", "cursor"].filter((name) => !taken.includes(name)).map((name) => ({ message: `a list without the parameter ${name}` }))
}

/** Of an operation: where it needs a token, the scope that an API token needs is one of `scopes`. */
export default ({ security = [], "x-required-scope": scope }, { scopes }) =>
  security.length === 0 || scopes.includes(scope) ? undefined : [{ message: `x-required-scope must be one of ${scopes.join(", ")}` }]

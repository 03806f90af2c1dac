/** The id by which a request is found in logs, traces and errors: the caller's where it is harmless, else one of ours. */
import { randomUUID } from "node:crypto"

export const requestIdOf = (headers: { readonly [name: string]: string | undefined }): string => {
  const given = headers["x-request-id"]
  return given !== undefined && /^[A-Za-z0-9._:-]{1,128}$/.test(given) ? given : randomUUID()
}

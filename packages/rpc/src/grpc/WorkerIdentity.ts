/**
 * Which workers a client certificate may be. The identity is a URI among the subject's alternative names,
 * `urn:englog:worker:<worker_id, percent-encoded>`; a certificate may hold several. One without any such URI is the worker
 * its common name says; one without either is nobody's, and may do nothing that takes a worker_id.
 */
import type { ClientCertificate } from "./GrpcMethods.ts"

const PREFIX = "urn:englog:worker:"

/** The alternative name that makes a certificate that worker's. */
export const identityUri = (worker_id: string): string => PREFIX + encodeURIComponent(worker_id)

export const mayBe = (certificate: ClientCertificate, worker_id: string): boolean => {
  const uris = certificate.alternativeNames.filter((name) => name.startsWith(PREFIX))
  return uris.length > 0 ? uris.includes(identityUri(worker_id)) : worker_id !== "" && certificate.commonName === worker_id
}

/** Whose the certificate is, for people. */
export const describeIdentity = (certificate: ClientCertificate): string => {
  const uris = certificate.alternativeNames.filter((name) => name.startsWith(PREFIX))
  return uris.length > 0 ? uris.join(", ") : certificate.commonName === "" ? "nobody" : certificate.commonName
}

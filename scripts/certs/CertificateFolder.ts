/**
 * A folder with a development authority and what it signed: `ca`, `server` and `workers/WORKER_ID`, each `.crt` and `.key`.
 * What is there and still good stays as it is; what is missing, about to expire or signed by another authority is made anew.
 */
import { identityUri } from "@englog/rpc/grpc/WorkerIdentity"
import { DateTime, Effect, FileSystem, Option, Schema } from "effect"
import { X509Certificate, createPrivateKey } from "node:crypto"
import { isIP } from "node:net"
import * as path from "node:path"
import * as Certificate from "./Certificate.ts"

export class CertificateFolderError extends Schema.TaggedError<CertificateFolderError>()("CertificateFolderError", {
  message: Schema.String,
  cause: Schema.optionalKey(Schema.Defect())
}) {}

export interface Wanted {
  readonly folder: string
  /** Host names and addresses of the server beside `serverNames`. */
  readonly names: ReadonlyArray<string>
  readonly workers: ReadonlyArray<string>
}

export interface Filed {
  /** Path without `.crt` or `.key`. */
  readonly file: string
  readonly made: boolean
}

/** Every development server goes by these. */
export const serverNames = ["localhost", "127.0.0.1", "::1"]

const YEARS = { authority: 10, signed: 2 }
/** What expires sooner than this is made anew. */
const LEFT = { days: 30 }

/** Fit for a file name on any system. */
export const workerFile = (worker_id: string): string => path.join("workers", encodeURIComponent(worker_id).replaceAll("*", "%2A"))

export const fill = Effect.fnUntraced(function*({ folder, names, workers }: Wanted) {
  const fs = yield* FileSystem.FileSystem
  yield* fs.makeDirectory(path.join(folder, "workers"), { recursive: true })
  const authority = yield* keepAuthority(path.join(folder, "ca"))
  const server = yield* keep(authority.pair, path.join(folder, "server"), {
    commonName: "EngLog development server",
    names: [...new Set([...serverNames, ...names])],
    use: "server"
  })
  const clients = yield* Effect.forEach([...new Set(workers)], (worker_id) =>
    keep(authority.pair, path.join(folder, workerFile(worker_id)), {
      // X.509 allows 64 characters; the identity is the URI.
      commonName: worker_id.slice(0, 64),
      names: [identityUri(worker_id)],
      use: "client"
    }))
  const filed: ReadonlyArray<Filed> = [authority, server, ...clients]
  return filed
}, Effect.catchTag("PlatformError", (cause) => new CertificateFolderError({ message: cause.message, cause })))

const keepAuthority = Effect.fnUntraced(function*(file: string) {
  const found = yield* read(file)
  if (Option.isSome(found) && (yield* isGood(found.value))) return { file, made: false, pair: found.value }
  const fs = yield* FileSystem.FileSystem
  // An authority that others may rely on is never replaced because one half of it is away.
  if (Option.isNone(found) && ((yield* fs.exists(`${file}.crt`)) || (yield* fs.exists(`${file}.key`)))) {
    return yield* new CertificateFolderError({ message: `${file}.crt and ${file}.key must both be there, or neither` })
  }
  const pair = yield* Certificate.authority("EngLog development CA", yield* Certificate.fromNowFor(YEARS.authority))
  return { file, made: true, pair: yield* write(file, pair) }
})

const keep = Effect.fnUntraced(function*(
  authority: Certificate.KeyPair,
  file: string,
  wanted: Omit<Certificate.Signed, keyof Certificate.Period>
) {
  const found = yield* read(file)
  if (Option.isSome(found) && (yield* isGood(found.value)) && isSignedBy(found.value, authority) && names(found.value, wanted.names)) {
    return { file, made: false }
  }
  yield* write(file, yield* Certificate.sign(authority, { ...wanted, ...(yield* Certificate.fromNowFor(YEARS.signed)) }))
  return { file, made: true }
})

const read = Effect.fnUntraced(function*(file: string) {
  const fs = yield* FileSystem.FileSystem
  if (!(yield* fs.exists(`${file}.crt`)) || !(yield* fs.exists(`${file}.key`))) return Option.none<Certificate.KeyPair>()
  yield* fs.chmod(`${file}.key`, PRIVATE)
  return Option.some({ cert: yield* fs.readFileString(`${file}.crt`), key: yield* fs.readFileString(`${file}.key`) })
})

const PRIVATE = 0o600

/** The key first, and readable by nobody else from its first byte on. */
const write = Effect.fnUntraced(function*(file: string, pair: Certificate.KeyPair) {
  const fs = yield* FileSystem.FileSystem
  yield* fs.remove(`${file}.key`, { force: true })
  yield* fs.writeFileString(`${file}.key`, pair.key, { mode: PRIVATE })
  yield* fs.writeFileString(`${file}.crt`, pair.cert)
  return pair
})

/** Readable, a pair, and valid for a while yet. */
const isGood = ({ cert, key }: Certificate.KeyPair) =>
  Effect.gen(function*() {
    const soon = DateTime.add(yield* DateTime.now, LEFT)
    return yield* Effect.try(() => {
      const certificate = new X509Certificate(cert)
      return certificate.checkPrivateKey(createPrivateKey(key)) && certificate.validToDate.getTime() > DateTime.toEpochMillis(soon)
    }).pipe(Effect.orElseSucceed(() => false))
  })

const isSignedBy = ({ cert }: Certificate.KeyPair, authority: Certificate.KeyPair): boolean => {
  const issuer = new X509Certificate(authority.cert)
  const certificate = new X509Certificate(cert)
  return certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey)
}

/** Whether the certificate has all these names; it may have more. */
const names = ({ cert }: Certificate.KeyPair, wanted: ReadonlyArray<string>): boolean => {
  const certificate = new X509Certificate(cert)
  const listed = certificate.subjectAltName?.split(", ") ?? []
  return wanted.every((name) =>
    isIP(name) !== 0 ? certificate.checkIP(name) !== undefined : listed.includes(`DNS:${name}`) || listed.includes(`URI:${name}`))
}

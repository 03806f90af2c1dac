/**
 * Transport security of gRPC, from PEM files.
 *
 * A server needs certificate and key; with a CA as well it demands a client certificate signed by that CA. A client needs
 * the CA that signed the server (the system's roots where none is given) and, under mutual TLS, its own pair.
 */
import * as grpc from "@grpc/grpc-js"
import { DateTime, Effect, FileSystem, Option, Schema } from "effect"
import { createPrivateKey, X509Certificate } from "node:crypto"

/** Paths of PEM files, and the name the server's certificate must carry where it differs from the address. */
export interface TlsFiles {
  readonly certFile: Option.Option<string>
  readonly keyFile: Option.Option<string>
  readonly caFile: Option.Option<string>
  readonly serverName: Option.Option<string>
}

export const noTls: TlsFiles = {
  certFile: Option.none(),
  keyFile: Option.none(),
  caFile: Option.none(),
  serverName: Option.none()
}

export class GrpcTlsError extends Schema.TaggedError<GrpcTlsError>()("GrpcTlsError", {
  /** The setting to look at. */
  variable: Schema.Literals(["TLS_CERT_FILE", "TLS_KEY_FILE", "TLS_CA_FILE"]),
  message: Schema.String,
  cause: Schema.optionalKey(Schema.Defect())
}) {}

export interface KeyPair {
  readonly cert: Buffer
  readonly key: Buffer
}

/** What a server shows, and the authority of its clients where they have to show something too. */
export interface ServerTls extends KeyPair {
  readonly clientCa: Option.Option<Buffer>
}

/** None where no file is given: the server speaks plain text. */
export const serverTls = Effect.fn("GrpcTls.serverTls")(function*(files: TlsFiles) {
  const pair = yield* readPair(files)
  const clientCa = yield* readAuthority(files)
  if (Option.isNone(pair) && Option.isSome(clientCa)) {
    return yield* missing("TLS_CERT_FILE", "TLS_CA_FILE is set, so the server needs TLS_CERT_FILE and TLS_KEY_FILE too")
  }
  return Option.map(pair, (pair): ServerTls => ({ ...pair, clientCa }))
})

/** Insecure where neither a file nor a server name is given. */
export const channelCredentials = Effect.fn("GrpcTls.channelCredentials")(function*(files: TlsFiles) {
  const pair = yield* readPair(files)
  const ca = yield* readAuthority(files)
  if (!speaksTls(files)) return grpc.credentials.createInsecure()
  return grpc.credentials.createSsl(
    Option.getOrNull(ca),
    Option.isSome(pair) ? pair.value.key : null,
    Option.isSome(pair) ? pair.value.cert : null
  )
})

/** Whether a client with these settings speaks TLS. */
export const speaksTls = (files: TlsFiles): boolean =>
  [files.certFile, files.caFile, files.serverName].some(Option.isSome)

const missing = (variable: GrpcTlsError["variable"], message: string) => new GrpcTlsError({ variable, message })

const read = Effect.fnUntraced(function*(variable: GrpcTlsError["variable"], path: string) {
  const fs = yield* FileSystem.FileSystem
  const bytes = yield* fs.readFile(path).pipe(
    Effect.mapError((cause) => new GrpcTlsError({ variable, message: `${variable}: cannot read ${path}`, cause }))
  )
  return Buffer.from(bytes)
})

const readOptional = (variable: GrpcTlsError["variable"], path: Option.Option<string>) =>
  Option.match(path, {
    onNone: () => Effect.succeed(Option.none<Buffer>()),
    onSome: (file) => Effect.asSome(read(variable, file))
  })

const readPair = Effect.fnUntraced(function*(files: TlsFiles) {
  const pair = Option.all({
    cert: yield* readOptional("TLS_CERT_FILE", files.certFile),
    key: yield* readOptional("TLS_KEY_FILE", files.keyFile)
  })
  if (Option.isSome(files.certFile) && Option.isNone(files.keyFile)) {
    return yield* missing("TLS_KEY_FILE", "TLS_CERT_FILE is set, so TLS_KEY_FILE must be set too")
  }
  if (Option.isNone(files.certFile) && Option.isSome(files.keyFile)) {
    return yield* missing("TLS_CERT_FILE", "TLS_KEY_FILE is set, so TLS_CERT_FILE must be set too")
  }
  if (Option.isSome(pair)) yield* checkPair(pair.value)
  return pair
})

/** grpc-js reads PEM only when a connection is made; reading it here makes a bad file stop the start instead. */
const checkPair = Effect.fnUntraced(function*({ cert, key }: KeyPair) {
  const certificate = yield* certificateIn("TLS_CERT_FILE", cert)
  const privateKey = yield* Effect.try({
    try: () => createPrivateKey(key),
    catch: (cause) =>
      new GrpcTlsError({ variable: "TLS_KEY_FILE", message: "TLS_KEY_FILE holds no private key in PEM form without a passphrase", cause })
  })
  if (!certificate.checkPrivateKey(privateKey)) {
    return yield* missing("TLS_KEY_FILE", "TLS_KEY_FILE is not the key of the certificate in TLS_CERT_FILE")
  }
  yield* warnWhenExpired("TLS_CERT_FILE", certificate)
})

const readAuthority = Effect.fnUntraced(function*(files: TlsFiles) {
  const ca = yield* readOptional("TLS_CA_FILE", files.caFile)
  if (Option.isSome(ca)) yield* warnWhenExpired("TLS_CA_FILE", yield* certificateIn("TLS_CA_FILE", ca.value))
  return ca
})

const certificateIn = (variable: GrpcTlsError["variable"], pem: Buffer) =>
  Effect.try({
    try: () => new X509Certificate(pem),
    catch: (cause) => new GrpcTlsError({ variable, message: `${variable} holds no certificate in PEM form: ${cause instanceof Error ? cause.message : String(cause)}`, cause })
  })

/** The clock may be wrong, so that this stops nothing; the other side will. */
const warnWhenExpired = Effect.fnUntraced(function*(variable: GrpcTlsError["variable"], certificate: X509Certificate) {
  const expires = certificate.validToDate
  if (DateTime.toEpochMillis(yield* DateTime.now) <= expires.getTime()) return
  yield* Effect.logWarning(`the certificate in ${variable} expired on ${expires.toISOString()}: nobody will accept it; renew it`)
})

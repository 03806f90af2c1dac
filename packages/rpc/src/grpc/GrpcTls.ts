/**
 * Transport security of gRPC, from PEM files.
 *
 * A server needs certificate and key; with a CA as well it demands a client certificate signed by that CA. A client needs
 * the CA that signed the server (the system's roots where none is given) and, under mutual TLS, its own pair.
 */
import * as grpc from "@grpc/grpc-js"
import { Effect, FileSystem, Option, Schema } from "effect"
import * as tls from "node:tls"

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

/** Insecure where no file is given. */
export const serverCredentials = Effect.fn("GrpcTls.serverCredentials")(function*(files: TlsFiles) {
  const pair = yield* readPair(files)
  const ca = yield* readOptional("TLS_CA_FILE", files.caFile)
  if (Option.isNone(pair)) {
    if (Option.isSome(ca)) {
      return yield* missing("TLS_CERT_FILE", "TLS_CA_FILE is set, so the server needs TLS_CERT_FILE and TLS_KEY_FILE too")
    }
    return grpc.ServerCredentials.createInsecure()
  }
  return yield* credentialsFrom(pair, ca, () =>
    grpc.ServerCredentials.createSsl(
      Option.getOrNull(ca),
      [{ cert_chain: pair.value.cert, private_key: pair.value.key }],
      Option.isSome(ca)
    )
  )
})

/** Insecure where neither a file nor a server name is given. */
export const channelCredentials = Effect.fn("GrpcTls.channelCredentials")(function*(files: TlsFiles) {
  const pair = yield* readPair(files)
  const ca = yield* readOptional("TLS_CA_FILE", files.caFile)
  if (Option.isNone(pair) && Option.isNone(ca) && Option.isNone(files.serverName)) {
    return grpc.credentials.createInsecure()
  }
  return yield* credentialsFrom(pair, ca, () =>
    grpc.credentials.createSsl(
      Option.getOrNull(ca),
      Option.isSome(pair) ? pair.value.key : null,
      Option.isSome(pair) ? pair.value.cert : null
    )
  )
})

const missing = (variable: GrpcTlsError["variable"], message: string) => new GrpcTlsError({ variable, message })

/** Node reads PEM only when a connection is made; building a context here makes a bad file stop the start instead. */
const credentialsFrom = <A>(pair: Option.Option<KeyPair>, ca: Option.Option<Buffer>, make: () => A) =>
  Effect.try({
    try: () => {
      tls.createSecureContext({
        ...Option.getOrElse(pair, () => ({})),
        ...Option.match(ca, { onNone: () => ({}), onSome: (bytes) => ({ ca: bytes }) })
      })
      return make()
    },
    catch: (cause) =>
      new GrpcTlsError({
        variable: "TLS_CERT_FILE",
        message: "TLS_CERT_FILE, TLS_KEY_FILE and TLS_CA_FILE do not form valid PEM credentials",
        cause
      })
  })

interface KeyPair {
  readonly cert: Buffer
  readonly key: Buffer
}

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
  const cert = yield* readOptional("TLS_CERT_FILE", files.certFile)
  const key = yield* readOptional("TLS_KEY_FILE", files.keyFile)
  if (Option.isSome(cert) && Option.isNone(key)) {
    return yield* missing("TLS_KEY_FILE", "TLS_CERT_FILE is set, so TLS_KEY_FILE must be set too")
  }
  if (Option.isNone(cert) && Option.isSome(key)) {
    return yield* missing("TLS_CERT_FILE", "TLS_KEY_FILE is set, so TLS_CERT_FILE must be set too")
  }
  return Option.all({ cert, key })
})

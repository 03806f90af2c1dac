/** A gRPC client that sends any bytes to any method, compressed or not, without limits of its own. */
import * as grpc from "@grpc/grpc-js"
import { Effect } from "effect"

export interface RawAnswer {
  /** By name; OK where there was an answer. */
  readonly code: string
  readonly details: string
}

/** The connection is its own, and closes with the scope. */
export const rawClient = Effect.fnUntraced(function*(port: number, options: grpc.ClientOptions = {}) {
  const client = yield* Effect.acquireRelease(
    Effect.sync(() =>
      new grpc.Client(`127.0.0.1:${port}`, grpc.credentials.createInsecure(), { "grpc.use_local_subchannel_pool": 1, ...options })
    ),
    (client) => Effect.sync(() => client.close())
  )
  return (method: string, bytes: Uint8Array) =>
    Effect.callback<RawAnswer>((resume) => {
      const call = client.makeUnaryRequest(
        `/englog.v1.APIWorkerService/${method}`,
        (message: Uint8Array) => Buffer.from(message),
        (message) => message,
        bytes,
        (error) => resume(Effect.succeed({ code: error === null ? "OK" : grpc.status[error.code] ?? "?", details: error?.details ?? "" }))
      )
      return Effect.sync(() => call.cancel())
    })
})

/** Documents that are too large for a call: their bytes go over HTTP, while they are read; see DocumentUploadsApi. */
import type { DocumentFormat } from "@englog/domain/documents/Document"
import { DocumentUpload } from "@englog/domain/documents/DocumentUpload"
import type { OrganizationId } from "@englog/domain/Ids"
import { Context, Effect, Layer, type Stream } from "effect"
import { FetchHttpClient, HttpClient, HttpClientRequest, HttpClientResponse } from "effect/http"
import { uploadsRoute, uploadTypes } from "../http/DocumentUploadsApi.ts"
import { ErrorAnswer } from "../http/ErrorAnswer.ts"
import { rpcFailure, type RpcFailure } from "../rpc/RpcFailure.ts"
import { AccessToken } from "./AccessToken.ts"

export interface UploadedBytes {
  readonly format: DocumentFormat
  /** Up to 50 MiB; text in UTF-8. */
  readonly bytes: Stream.Stream<Uint8Array, unknown>
  /** One that you are a member of; by default your own. */
  readonly organization_id?: OrganizationId
}

export class UploadClient extends Context.Service<UploadClient, {
  readonly uploadDocument: (document: UploadedBytes) => Effect.Effect<DocumentUpload, RpcFailure>
}>()("@englog/rpc/client/UploadClient") {
  static readonly layer = (url: string): Layer.Layer<UploadClient, never, AccessToken> =>
    Layer.effect(
      UploadClient,
      Effect.gen(function*() {
        const http = yield* HttpClient.HttpClient
        const token = yield* AccessToken
        return UploadClient.of({
          uploadDocument: Effect.fn("UploadClient.uploadDocument")(function*({ bytes, format, organization_id }) {
            const response = yield* HttpClientRequest.post(`${url.replace(/\/+$/, "")}${uploadsRoute}`).pipe(
              HttpClientRequest.setUrlParams(organization_id === undefined ? {} : { organization_id }),
              HttpClientRequest.bearerToken(yield* token.current),
              HttpClientRequest.bodyStream(bytes, { contentType: uploadTypes[format] }),
              http.execute
            )
            if (response.status === 201) return yield* HttpClientResponse.schemaBodyJson(DocumentUpload)(response)
            return yield* refused(response.status, yield* HttpClientResponse.schemaBodyJson(ErrorAnswer)(response), response.headers["retry-after"])
          }, Effect.catchTags({
            HttpClientError: (error) => cutOff(error.message),
            SchemaError: (error) => cutOff(`the server does not answer as EngLog does: ${error.message}`)
          }))
        })
      })
    ).pipe(Layer.provide(FetchHttpClient.layer))
}

const reasons: ReadonlyMap<number, RpcFailure["reason"]> = new Map([[401, "unauthorized"], [403, "forbidden"], [404, "not_found"], [409, "conflict"], [429, "too_many_requests"], [503, "unavailable"]])

const refused = (status: number, { code, details, error: message }: ErrorAnswer, retryAfter: string | undefined) =>
  rpcFailure({
    reason: reasons.get(status) ?? (status < 500 ? "bad_request" : "unavailable"),
    message,
    code,
    details,
    retry_after: retryAfter === undefined ? null : Number(retryAfter)
  })

const cutOff = (why: string) => rpcFailure({ reason: "unavailable", message: `the document was not uploaded: ${why}` })

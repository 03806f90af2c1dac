/** Documents that are too large for a call: their bytes go over HTTP, while they are read; see DocumentUploadsApi. */
import type { DocumentFormat } from "@englog/domain/documents/Document"
import { DocumentUpload } from "@englog/domain/documents/DocumentUpload"
import type { OrganizationId, UploadId } from "@englog/domain/Ids"
import { Context, Effect, Layer, Schedule, Stream } from "effect"
import { FetchHttpClient, HttpClient, HttpClientRequest, HttpClientResponse } from "effect/http"
import { partialType, uploadsRoute, uploadTypes } from "../http/DocumentUploadsApi.ts"
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

export interface ResumableBytes {
  readonly format: DocumentFormat
  /** The document from its byte of this number on, 0 being the first; asked again after a connection was lost. */
  readonly bytes: (from: number) => Stream.Stream<Uint8Array, unknown>
  /** One that you are a member of; by default your own. */
  readonly organization_id?: OrganizationId
  /** Of an upload that was begun before, which is gone on with. */
  readonly upload_id?: UploadId
  /** Told the upload's id as soon as there is one, for whoever wants to go on after a restart. */
  readonly begun?: (upload_id: UploadId) => Effect.Effect<void>
}

export class UploadClient extends Context.Service<UploadClient, {
  /** All at once: what is cut off leaves nothing. */
  readonly uploadDocument: (document: UploadedBytes) => Effect.Effect<DocumentUpload, RpcFailure>
  /** Goes on where it was cut off, until eight attempts in a row have brought nothing. */
  readonly uploadDocumentResumably: (document: ResumableBytes) => Effect.Effect<DocumentUpload, RpcFailure>
}>()("@englog/rpc/client/UploadClient") {
  static readonly layer = (url: string): Layer.Layer<UploadClient, never, AccessToken> =>
    Layer.effect(
      UploadClient,
      Effect.gen(function*() {
        const http = yield* HttpClient.HttpClient
        const token = yield* AccessToken
        const uploads = `${url.replace(/\/+$/, "")}${uploadsRoute}`

        const answered = Effect.fnUntraced(function*(request: HttpClientRequest.HttpClientRequest) {
          const response = yield* http.execute(HttpClientRequest.bearerToken(request, yield* token.current))
          if (response.status < 300) return yield* HttpClientResponse.schemaBodyJson(DocumentUpload)(response)
          return yield* refused(response.status, yield* HttpClientResponse.schemaBodyJson(ErrorAnswer)(response), response.headers["retry-after"])
        }, Effect.catchTags({
          HttpClientError: (error) => cutOff(error.message),
          SchemaError: (error) => cutOff(`the server does not answer as EngLog does: ${error.message}`)
        }))

        const post = ({ bytes, format, organization_id }: UploadedBytes) =>
          HttpClientRequest.post(uploads).pipe(
            HttpClientRequest.setUrlParams(organization_id === undefined ? {} : { organization_id }),
            HttpClientRequest.bodyStream(bytes, { contentType: uploadTypes[format] })
          )

        /** Whatever is missing; `seen` learns how far it is. */
        const goOn = Effect.fnUntraced(function*(upload_id: UploadId, bytes: ResumableBytes["bytes"], seen: (stored: number) => void) {
          const upload = yield* answered(HttpClientRequest.get(`${uploads}/${upload_id}`))
          if (upload.complete) return upload
          seen(upload.bytes)
          return yield* answered(HttpClientRequest.patch(`${uploads}/${upload_id}`, {
            headers: { "upload-offset": String(upload.bytes), "upload-complete": "?1" }
          }).pipe(HttpClientRequest.bodyStream(bytes(upload.bytes), { contentType: partialType })))
        })

        return UploadClient.of({
          uploadDocument: Effect.fn("UploadClient.uploadDocument")((document) => answered(post(document))),
          uploadDocumentResumably: Effect.fn("UploadClient.uploadDocumentResumably")(function*({ begun, bytes, upload_id, ...document }) {
            const id = upload_id ?? (yield* answered(HttpClientRequest.setHeader(post({ ...document, bytes: Stream.empty }), "upload-complete", "?0"))).upload_id
            if (begun !== undefined) yield* begun(id)
            let stored = -1
            let left = ATTEMPTS
            const attempt = Effect.suspend(() => {
              left--
              return goOn(id, bytes, (now) => {
                if (now <= stored) return
                stored = now
                left = ATTEMPTS
              })
            })
            return yield* Effect.retry(attempt, {
              while: ({ reason }) => left > 0 && (reason === "unavailable" || reason === "conflict"),
              schedule: Schedule.min([Schedule.exponential("200 millis"), Schedule.spaced("5 seconds")])
            })
          })
        })
      })
    ).pipe(Layer.provide(FetchHttpClient.layer))
}

/** In a row that bring nothing. */
const ATTEMPTS = 8

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

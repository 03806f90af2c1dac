/** REST of uploads: see DocumentUploadsApi. */
import type { DocumentUpload } from "@englog/domain/documents/DocumentUpload"
import { EngLogApi } from "@englog/rpc/http/Api"
import { CurrentUser } from "@englog/rpc/http/Authorization"
import { uploadFormatOf, uploadsRoute } from "@englog/rpc/http/DocumentUploadsApi"
import { BadRequest } from "@englog/rpc/http/HttpErrors"
import { Effect, Stream } from "effect"
import type { HttpServerRequest } from "effect/http"
import { HttpApiBuilder, HttpApiSchema } from "effect/http-api"
import { orUnavailable } from "../http/errors/DatabaseOutage.ts"
import { isForm } from "../http/RouteTable.ts"
import { DocumentUploads } from "./DocumentUploads.ts"
import { uploadedFile } from "./UploadedForm.ts"

export const DocumentUploadsHttp = HttpApiBuilder.group(EngLogApi, "uploads", Effect.fn(function*(handlers) {
  const uploads = yield* DocumentUploads
  return handlers.handleAll({
    upload: ({ headers: { "upload-complete": complete = true }, query: { organization_id }, request }) =>
      CurrentUser.use((user) =>
        Effect.gen(function*() {
          const { bytes: body, format } = yield* documentOf(request, complete)
          const upload = yield* orUnavailable(uploads.receive(user, { organization_id, format, resumable: !complete, body }))
          return HttpApiSchema.withHeaders({ body: upload, headers: { location: `${uploadsRoute}/${upload.upload_id}`, ...progressOf(upload) } })
        }).pipe(Effect.scoped)),
    uploadStatus: ({ params: { upload_id } }) => CurrentUser.use((user) => Effect.map(orUnavailable(uploads.find(user, upload_id)), told)),
    resumeUpload: ({ headers: { "upload-complete": last, "upload-offset": offset }, params: { upload_id }, request }) =>
      CurrentUser.use((user) => Effect.map(orUnavailable(uploads.resume(user, upload_id, { offset, last, body: bytesOf(request) })), told)),
    removeUpload: ({ params: { upload_id } }) => CurrentUser.use((user) => orUnavailable(uploads.remove(user, upload_id)))
  })
}))

const bytesOf = ({ stream }: HttpServerRequest.HttpServerRequest) =>
  Stream.mapError(stream, () => new BadRequest({ error: "body: was cut off", code: "malformed_body" }))

const documentOf = Effect.fnUntraced(function*(request: HttpServerRequest.HttpServerRequest, complete: boolean) {
  const type = request.headers["content-type"] ?? ""
  const format = uploadFormatOf(type)
  if (format !== undefined) return { format, bytes: bytesOf(request) }
  if (!isForm(type)) return yield* Effect.die(new Error("a body of a type that is not read came this far"))
  return complete ? yield* uploadedFile(request) : yield* new BadRequest({ error: "upload-complete: must be ?1 for a form, which is sent whole" })
})

const progressOf = ({ bytes, complete }: DocumentUpload) => ({ "upload-offset": bytes, "upload-complete": complete })

const told = (upload: DocumentUpload) => HttpApiSchema.withHeaders({ body: upload, headers: progressOf(upload) })

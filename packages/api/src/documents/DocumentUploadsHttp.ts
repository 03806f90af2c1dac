/** REST of uploads: see DocumentUploadsApi. */
import { EngLogApi } from "@englog/rpc/http/Api"
import { CurrentUser } from "@englog/rpc/http/Authorization"
import { BadRequest } from "@englog/rpc/http/HttpErrors"
import { uploadFormatOf } from "@englog/rpc/http/DocumentUploadsApi"
import { Effect, Stream } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { orUnavailable } from "../http/errors/DatabaseOutage.ts"
import { DocumentUploads } from "./DocumentUploads.ts"

export const DocumentUploadsHttp = HttpApiBuilder.group(EngLogApi, "uploads", Effect.fn(function*(handlers) {
  const uploads = yield* DocumentUploads
  return handlers.handleAll({
    upload: ({ query: { organization_id }, request }) =>
      CurrentUser.use((user) => {
        const body = Stream.mapError(request.stream, () => new BadRequest({ error: "body: was cut off", code: "malformed_body" }))
        const format = uploadFormatOf(request.headers["content-type"] ?? "")
        return format === undefined
          ? Effect.die(new Error("a body of a type that is not read came this far"))
          : orUnavailable(uploads.receive(user, { organization_id, format, body }))
      }),
    removeUpload: ({ params: { upload_id } }) => CurrentUser.use((user) => orUnavailable(uploads.remove(user, upload_id)))
  })
}))

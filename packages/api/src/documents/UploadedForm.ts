/**
 * A form (RFC 7578) with one file, as browsers and `curl -F` send it, read while it arrives. Its bytes end where the form has ended
 * well, so that what is wrong with the rest of it is known before the upload is whole.
 */
import type { DocumentFormat } from "@englog/domain/documents/Document"
import { MAX_DOCUMENT_BYTES } from "@englog/domain/documents/DocumentUpload"
import { uploadFormatOf, uploadTypes } from "@englog/rpc/http/DocumentUploadsApi"
import { BadRequest, PayloadTooLarge, UnsupportedMediaType } from "@englog/rpc/http/HttpErrors"
import { ByteSize, Context, Effect, Layer, Pull, Stream } from "effect"
import { type HttpServerRequest, Multipart } from "effect/http"
import { sentenceOfBody } from "../http/edge/RequestBounds.ts"
import { shortened } from "../http/errors/FieldName.ts"

export interface UploadedFile {
  readonly format: DocumentFormat
  readonly bytes: Stream.Stream<Uint8Array, BadRequest | PayloadTooLarge>
}

/** The file at the beginning of a form; the rest is read with its bytes, within the scope. */
export const uploadedFile = Effect.fnUntraced(function*({ multipartStream }: HttpServerRequest.HttpServerRequest) {
  const pull = yield* Stream.toPull(Stream.rechunk(Stream.mapError(multipartStream, refusal), 1))
  const [file] = yield* Pull.catchDone(pull, () => Effect.fail(notOneFile))
  if (file._tag === "Field") return yield* notOneFile
  const format = uploadFormatOf(file.contentType) ?? byName(file)
  if (format === undefined) {
    return yield* new UnsupportedMediaType({
      error: `content-type: ${shortened(file.contentType)} of the file in the form is not supported here; it must be ${Object.values(uploadTypes).join(" or ")}`
    })
  }
  const rest = Stream.flatMap(Stream.fromPull(Effect.succeed(pull)), () => Stream.fail(notOneFile))
  const uploaded: UploadedFile = { format, bytes: Stream.concat(Stream.mapError(file.content, refusal), rest) }
  return uploaded
}, Effect.provide(Layer.succeedContext(Context.make(Multipart.MaxParts, 1).pipe(Context.add(Multipart.MaxFieldSize, ByteSize.bytes(1_024))))))

const notOneFile = new BadRequest({ error: "body: must be a form with one file and nothing else", code: "malformed_body" })

const refusal = ({ reason }: Multipart.MultipartError) => {
  switch (reason._tag) {
    case "BodyTooLarge":
    case "FileTooLarge":
      return new PayloadTooLarge({ error: sentenceOfBody(MAX_DOCUMENT_BYTES) })
    case "TooManyParts":
    case "FieldTooLarge":
      return notOneFile
    case "Parse":
      return new BadRequest({ error: "body: is no form, or was cut off", code: "malformed_body" })
    case "InternalError":
      return new BadRequest({ error: "body: was cut off", code: "malformed_body" })
  }
}

const endings: ReadonlyMap<string, DocumentFormat> = new Map([["txt", "text"], ["md", "markdown"], ["markdown", "markdown"], ["html", "html"], ["htm", "html"], ["pdf", "pdf"]])

/** What senders say of files whose type they do not know. */
const byName = ({ contentType, name }: Multipart.File): DocumentFormat | undefined =>
  contentType === "application/octet-stream" ? endings.get(name.slice(name.lastIndexOf(".") + 1).toLowerCase()) : undefined

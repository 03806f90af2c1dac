/**
 * Documents as they arrive: encrypted and stored part by part while they do, so that no more than two parts of one are in memory.
 * What is larger than it may be is refused as soon as that is known. Of what was cut off nothing stays, unless it was announced that
 * it may be resumed: then all that has arrived does, and whoever goes on says after how many bytes.
 */
import { type DocumentFormat } from "@englog/domain/documents/Document"
import { type DocumentUpload, MAX_DOCUMENT_BYTES, MAX_OPEN_UPLOADS, MAX_UPLOADED_BYTES } from "@englog/domain/documents/DocumentUpload"
import type { OrganizationId, UploadId } from "@englog/domain/Ids"
import type { CurrentUser } from "@englog/rpc/http/Authorization"
import { BadRequest, Conflict, type Forbidden, NotFound, PayloadTooLarge } from "@englog/rpc/http/HttpErrors"
import { Context, Effect, Layer, Option, Stream } from "effect"
import type { SqlError } from "effect/sql/SqlError"
import { sentenceOfBody } from "../http/edge/RequestBounds.ts"
import { TaskAccess } from "../tasks/TaskAccess.ts"
import { ArrivingParts } from "./ArrivingParts.ts"
import { PART_BYTES, type UploadPart, UploadRepo } from "./UploadRepo.ts"

type Caller = CurrentUser["Service"]

export interface Upload<E> {
  readonly organization_id: OrganizationId | undefined
  readonly format: DocumentFormat
  /** The rest of it comes later; what is cut off stays. */
  readonly resumable: boolean
  readonly body: Stream.Stream<Uint8Array, E>
}

export interface Continuation<E> {
  /** How many bytes the caller believes to be stored. */
  readonly offset: number
  /** Nothing comes after this. */
  readonly last: boolean
  readonly body: Stream.Stream<Uint8Array, E>
}

export class DocumentUploads extends Context.Service<DocumentUploads, {
  readonly receive: <E>(caller: Caller, upload: Upload<E>) => Effect.Effect<DocumentUpload, BadRequest | Conflict | Forbidden | PayloadTooLarge | SqlError | E>
  readonly resume: <E>(
    caller: Caller,
    upload: UploadId,
    continuation: Continuation<E>
  ) => Effect.Effect<DocumentUpload, BadRequest | Conflict | NotFound | PayloadTooLarge | SqlError | E>
  readonly find: (caller: Caller, upload: UploadId) => Effect.Effect<DocumentUpload, NotFound | SqlError>
  readonly remove: (caller: Caller, upload: UploadId) => Effect.Effect<void, NotFound | SqlError>
}>()("@englog/api/documents/DocumentUploads") {
  static readonly layer: Layer.Layer<DocumentUploads, never, UploadRepo | TaskAccess> = Layer.effect(
    DocumentUploads,
    Effect.gen(function*() {
      const repo = yield* UploadRepo
      const access = yield* TaskAccess

      /** Adds what arrives to the bytes that are stored. `kept`: what was cut off stays as far as it has come. */
      const store = Effect.fnUntraced(function*<E>(
        { bytes, upload_id }: Pick<DocumentUpload, "bytes" | "upload_id">,
        { body, kept, last }: { readonly body: Stream.Stream<Uint8Array, E>; readonly kept: boolean; readonly last: boolean }
      ) {
        const partial = bytes % PART_BYTES === 0 ? Option.none() : yield* repo.stored(upload_id, Math.floor(bytes / PART_BYTES))
        const parts = new ArrivingParts(bytes, Option.getOrElse(partial, () => new Uint8Array(0)))
        let stored = bytes
        const append = Effect.fnUntraced(function*(part: UploadPart) {
          if (!(yield* repo.append(upload_id, stored, part))) return yield* new Conflict({ error: "somebody else removed the upload, or added to it, while it arrived" })
          stored = part.place * PART_BYTES + part.content.length
        })
        const appendRest = Effect.suspend(() => {
          const rest = parts.size === stored ? undefined : parts.rest()
          return rest === undefined ? Effect.void : append(rest)
        })
        yield* Stream.runForEach(body, (arrived) =>
          Effect.gen(function*() {
            parts.add(arrived)
            if (parts.size > MAX_DOCUMENT_BYTES) return yield* new PayloadTooLarge({ error: sentenceOfBody(MAX_DOCUMENT_BYTES) })
            for (let part = parts.take(); part !== undefined; part = parts.take()) yield* append(part)
          })).pipe(
            Effect.onError(() => kept && parts.size <= MAX_DOCUMENT_BYTES ? keep(appendRest) : Effect.void)
          )
        if (parts.size === 0 && last) return yield* new BadRequest({ error: "body: must not be empty" })
        yield* appendRest
        return stored
      })

      const answer = Effect.fnUntraced(function*({ id }: Caller, upload: UploadId, { bytes, last }: { readonly bytes: number; readonly last: boolean }) {
        const found = yield* last ? repo.complete(upload, bytes) : repo.find(upload, id)
        return Option.isSome(found) ? found.value : yield* new Conflict({ error: "the upload was removed while it arrived" })
      })

      const find = Effect.fnUntraced(function*({ id }: Caller, upload: UploadId) {
        const found = yield* repo.find(upload, id)
        return Option.isSome(found) ? found.value : yield* new NotFound({ error: `you have no upload ${upload} that waits for a document` })
      })

      /** What is left although it could not be removed, the clean-up takes. */
      const discard = (upload: UploadId, { id }: Caller) =>
        repo.remove(upload, id).pipe(Effect.catchCause((cause) => Effect.logWarning("an upload that was cut off stays for an hour", cause)))

      return DocumentUploads.of({
        receive: Effect.fn("DocumentUploads.receive")(function*<E>(caller: Caller, { body, format, organization_id: named, resumable }: Upload<E>) {
          const organization_id = yield* access.organization(caller, named)
          // Nothing interrupts between its being made and somebody's looking after it.
          return yield* Effect.uninterruptibleMask((restore) =>
            Effect.gen(function*() {
              const opening = yield* repo.open({ organization_id, user_id: caller.id }, { format, resumable })
              if (opening._tag === "Full") return yield* new Conflict({ error: full[opening.limit], code: "limit_reached" })
              const { upload } = opening
              // Its id was told to nobody yet: whoever is cut off now cannot resume it either.
              return yield* store({ upload_id: upload, bytes: 0 }, { body, kept: false, last: !resumable }).pipe(
                Effect.flatMap((bytes) => answer(caller, upload, { bytes, last: !resumable })),
                restore,
                Effect.onError(() => discard(upload, caller))
              )
            }))
        }),
        resume: Effect.fn("DocumentUploads.resume")(function*<E>(caller: Caller, id: UploadId, { body, last, offset }: Continuation<E>) {
          const upload = yield* find(caller, id)
          if (upload.complete) return yield* new Conflict({ error: "the upload is complete" })
          if (offset !== upload.bytes) return yield* new Conflict({ error: `upload-offset: is ${offset}, but ${upload.bytes} bytes of the upload have arrived` })
          const bytes = yield* store(upload, { body, kept: true, last })
          return yield* answer(caller, id, { bytes, last })
        }),
        find: Effect.fn("DocumentUploads.find")(find),
        remove: Effect.fn("DocumentUploads.remove")(function*(caller, upload) {
          if (!(yield* repo.remove(upload, caller.id))) return yield* new NotFound({ error: `you have no upload ${upload} that waits for a document` })
        })
      })
    })
  )
}

/** The rest of what was cut off; what cannot be kept is sent again. */
const keep = <E>(rest: Effect.Effect<void, E>): Effect.Effect<void> =>
  rest.pipe(Effect.catchCause((cause) => Effect.logWarning("the end of an upload that was cut off has to be sent again", cause)))

const full = {
  person: `you have ${MAX_OPEN_UPLOADS} uploads that wait for a document; hand one in, delete one, or wait until they expire`,
  organization: `the uploaded documents of this organization have ${MAX_UPLOADED_BYTES} bytes; delete some first`
} as const

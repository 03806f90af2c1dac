/**
 * Documents as they arrive: encrypted and stored part by part while they do, so that no more than two parts of one are in memory.
 * What is larger than it may be is refused as soon as that is known; of what was cut off nothing stays.
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
import { UploadRepo } from "./UploadRepo.ts"

type Caller = CurrentUser["Service"]

export interface Upload<E> {
  readonly organization_id: OrganizationId | undefined
  readonly format: DocumentFormat
  readonly body: Stream.Stream<Uint8Array, E>
}

export class DocumentUploads extends Context.Service<DocumentUploads, {
  readonly receive: <E>(caller: Caller, upload: Upload<E>) => Effect.Effect<DocumentUpload, BadRequest | Conflict | Forbidden | PayloadTooLarge | SqlError | E>
  readonly remove: (caller: Caller, upload: UploadId) => Effect.Effect<void, NotFound | SqlError>
}>()("@englog/api/documents/DocumentUploads") {
  static readonly layer: Layer.Layer<DocumentUploads, never, UploadRepo | TaskAccess> = Layer.effect(
    DocumentUploads,
    Effect.gen(function*() {
      const repo = yield* UploadRepo
      const access = yield* TaskAccess

      const store = Effect.fnUntraced(function*<E>(upload: UploadId, body: Stream.Stream<Uint8Array, E>) {
        const parts = new Parts()
        let place = 0
        yield* Stream.runForEach(body, (bytes) =>
          Effect.gen(function*() {
            if (parts.add(bytes) > MAX_DOCUMENT_BYTES) return yield* new PayloadTooLarge({ error: sentenceOfBody(MAX_DOCUMENT_BYTES) })
            for (let part = parts.take(); part !== undefined; part = parts.take()) yield* repo.append(upload, place++, part)
          }))
        if (parts.size === 0) return yield* new BadRequest({ error: "body: must not be empty" })
        const rest = parts.rest()
        if (rest !== undefined) yield* repo.append(upload, place++, rest)
        return yield* repo.complete(upload, { parts: place, bytes: parts.size })
      })

      /** What is left although it could not be removed, the clean-up takes. */
      const discard = (upload: UploadId, { id }: Caller) =>
        repo.remove(upload, id).pipe(Effect.catchCause((cause) => Effect.logWarning("an upload that was cut off stays for an hour", cause)))

      return DocumentUploads.of({
        receive: Effect.fn("DocumentUploads.receive")(function*<E>(caller: Caller, { body, format, organization_id: named }: Upload<E>) {
          const organization_id = yield* access.organization(caller, named)
          // Nothing interrupts between its being made and somebody's looking after it.
          const stored = yield* Effect.uninterruptibleMask((restore) =>
            Effect.gen(function*() {
              const opening = yield* repo.open({ organization_id, user_id: caller.id }, format)
              if (opening._tag === "Full") return yield* new Conflict({ error: full[opening.limit], code: "limit_reached" })
              return yield* Effect.onError(restore(store(opening.upload, body)), () => discard(opening.upload, caller))
            }))
          return Option.isSome(stored) ? stored.value : yield* new Conflict({ error: "the upload was removed while it arrived" })
        }),
        remove: Effect.fn("DocumentUploads.remove")(function*(caller, upload) {
          if (!(yield* repo.remove(upload, caller.id))) return yield* new NotFound({ error: `you have no upload ${upload} that waits for a document` })
        })
      })
    })
  )
}

const full = {
  person: `you have ${MAX_OPEN_UPLOADS} uploads that wait for a document; hand one in, delete one, or wait until they expire`,
  organization: `the uploaded documents of this organization have ${MAX_UPLOADED_BYTES} bytes; delete some first`
} as const

const PART_BYTES = 1_048_576

/** What has arrived and is no whole part yet. */
class Parts {
  size = 0
  #pending: Array<Uint8Array> = []
  #length = 0

  /** Answers how much has arrived in all. */
  add(bytes: Uint8Array): number {
    this.#pending.push(bytes)
    this.#length += bytes.length
    return this.size += bytes.length
  }

  /** The next whole part. */
  take(): Uint8Array | undefined {
    if (this.#length < PART_BYTES) return undefined
    const all = Buffer.concat(this.#pending)
    this.#pending = [all.subarray(PART_BYTES)]
    this.#length -= PART_BYTES
    return all.subarray(0, PART_BYTES)
  }

  rest(): Uint8Array | undefined {
    return this.#length === 0 ? undefined : Buffer.concat(this.#pending)
  }
}

/** Handles PDF_EXPORT: sets what the API gathered. What sets it is loaded with the first such task: fonts take memory. */
import { PerformanceReview } from "@englog/domain/exports/PerformanceReview"
import { PdfExport } from "@englog/domain/tasks/PdfExport"
import { MAX_RESULT_BYTES } from "@englog/rpc/grpc/WireLimits"
import { Effect, Schema } from "effect"
import * as TaskHandler from "./TaskHandler.ts"

const decode = Schema.decodeEffect(Schema.fromJsonString(PerformanceReview))

/** Beside the document a result holds some words. */
const MOST = MAX_RESULT_BYTES - 1_024

export const pdfExport = Effect.succeed(TaskHandler.make(PdfExport, (_payload, context) =>
  Effect.gen(function*() {
    yield* context.progress(10, "Gathering figures and entries")
    const review = yield* Effect.flatMap(context.data, decode).pipe(
      Effect.catchTag("SchemaError", (cause) =>
        Effect.fail(
          new TaskHandler.TaskFailure({ message: "the API server sent task data that this worker does not understand; update the worker", cause })
        ))
    )
    yield* context.progress(40, "Setting the document")
    const { renderReview } = yield* Effect.promise(() => import("../pdf/ReviewDocument.ts"))
    const { pages, pdf } = yield* renderReview(review)
    const text = Buffer.from(pdf).toString("base64")
    if (text.length > MOST) {
      return yield* new TaskHandler.TaskFailure({
        message: `the document is too large: ${Math.ceil(pdf.length / 1_024)} KiB, and ${Math.floor(MOST * 0.75 / 1_024)} KiB can be kept; choose a shorter period or an insight that cites less`,
        retryable: false
      })
    }
    yield* context.note({ operation: "pdf_rendered", pages, bytes: pdf.length })
    yield* context.progress(95, `${pages} ${pages === 1 ? "page" : "pages"}`)
    return { pdf: text, pages }
  })))

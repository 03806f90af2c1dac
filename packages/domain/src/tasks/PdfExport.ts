/** PDF_EXPORT: a performance review as a document. What it shows comes as the task's data. */
import { Schema } from "effect"
import { PdfId } from "../Ids.ts"
import * as TaskKind from "./TaskKind.ts"
import { backgroundPolicy } from "./TaskPolicy.ts"

export const PdfExport = TaskKind.make({
  kind: "PDF_EXPORT",
  payload: Schema.Struct({ pdf_id: PdfId }),
  result: Schema.Struct({
    /** Base64. */
    pdf: Schema.String,
    pages: Schema.Int.check(Schema.isGreaterThan(0))
  }),
  policy: { ...backgroundPolicy, attempt_timeout: 120_000, deadline: 600_000 },
  submittedBy: "/v1/export/pdf"
})

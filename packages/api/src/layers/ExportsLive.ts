/** What leaves as a file or a feed. */
import { Layer } from "effect"
import { WorkingHoursRepo } from "../analytics/WorkingHoursRepo.ts"
import { CalendarFeeds } from "../exports/CalendarFeeds.ts"
import { CsvExport } from "../exports/CsvExport.ts"
import { FeedRepo } from "../exports/FeedRepo.ts"
import { PdfExports } from "../exports/PdfExports.ts"
import { PdfOutcomeLive } from "../exports/PdfOutcome.ts"
import { PdfRepo } from "../exports/PdfRepo.ts"
import { InsightRepo } from "../insights/InsightRepo.ts"
import { Questions } from "../insights/Questions.ts"

export const ExportsLive = Layer.mergeAll(CsvExport.layer, CalendarFeeds.layer, PdfExports.layer, PdfOutcomeLive).pipe(
  Layer.provide([FeedRepo.layer, PdfRepo.layer, InsightRepo.layer, Questions.layer]),
  Layer.provide(WorkingHoursRepo.layer)
)

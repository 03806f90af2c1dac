/** What a source finds, page after page, as the handler would go on with it. */
import { ImportJob } from "@englog/domain/imports/ImportInput"
import type { MadeSource } from "@englog/worker/import/ImportSource"
import { Effect, Schema, Stream } from "effect"
import * as fs from "node:fs"
import * as path from "node:path"

export const fixture = (name: string): string => fs.readFileSync(path.join(import.meta.dirname, "fixtures", name), "utf8")

const decode = Schema.decodeUnknownSync(ImportJob)

/** March 2026 in Berlin, where nothing else is said. */
export const jobOf = (input: unknown, more: Record<string, unknown> = {}) =>
  decode({ input, timezone: "Europe/Berlin", period: { from: "2026-03-01T00:00:00Z", to: "2026-04-02T00:00:00Z" }, resume: null, ...more })

export const readBy = <E, R>(made: MadeSource<E, R>, job: ImportJob) =>
  Effect.gen(function*() {
    const pages = yield* Stream.runCollect((yield* made).read(job))
    return {
      pages,
      items: pages.flatMap(({ items }) => items),
      problems: pages.flatMap(({ problems }) => problems),
      skipped: pages.reduce((sum, { skipped }) => sum + skipped, 0)
    }
  })

/**
 * Entries as lines of RFC 4180. A text that a spreadsheet would take for a formula gets an apostrophe before it (OWASP, "CSV
 * Injection"); numbers stay numbers.
 */
import type { LogEntry } from "@englog/domain/entries/LogEntry"
import { localDayOf } from "@englog/domain/users/LocalDays"
import { csvColumns } from "@englog/rpc/http/ExportsApi"
import { stringify } from "csv-stringify/sync"
import { DateTime } from "effect"

const BYTE_ORDER_MARK = "\ufeff"

export const csvHead = ({ bom }: { readonly bom: boolean }): string => `${bom ? BYTE_ORDER_MARK : ""}${lines([csvColumns])}`

export const csvLines = (entries: ReadonlyArray<LogEntry>, timezone: string): string => lines(entries.map((entry) => cellsOf(entry, timezone)))

const cellsOf = (entry: LogEntry, timezone: string): ReadonlyArray<string | number | null> => {
  const cells: Readonly<Record<typeof csvColumns[number], string | number | null>> = {
    id: entry.id,
    date: localDayOf(entry.start_time, timezone),
    start_time: DateTime.formatIso(entry.start_time),
    end_time: entry.end_time === null ? null : DateTime.formatIso(entry.end_time),
    duration_minutes: entry.duration_minutes,
    title: entry.title,
    description: entry.description,
    type: entry.type,
    project_id: entry.project_id,
    project_name: entry.project_name,
    tags: entry.tags.join(","),
    value_rating: entry.value_rating,
    impact_level: entry.impact_level,
    created_at: DateTime.formatIso(entry.created_at),
    updated_at: DateTime.formatIso(entry.updated_at)
  }
  return csvColumns.map((column) => cells[column])
}

const lines = (records: ReadonlyArray<ReadonlyArray<string | number | null>>): string =>
  stringify(records.map((cells) => [...cells]), { record_delimiter: "\r\n", escape_formulas: true })

/** Rows of a CSV file by the names of its columns, each with its line; what follows a quote that is never closed is told as cut off. */
import { columnName } from "@englog/domain/imports/CsvFormat"
import type { ImportProblem } from "@englog/domain/imports/ImportedItem"
import { CsvError, parse } from "csv-parse/sync"
import { Result } from "effect"
import { problemOf } from "../ImportText.ts"

export interface CsvRow {
  /** Line on which it ends, from 1. */
  readonly row: number
  /** Empty where there is no such column; the first of several names that there is. */
  readonly cell: (...names: ReadonlyArray<string>) => string
}

export const readRows = (csv: string, delimiter: string): { readonly rows: ReadonlyArray<CsvRow>; readonly problems: ReadonlyArray<ImportProblem> } => {
  const records: Array<{ readonly row: number; readonly cells: ReadonlyArray<string> }> = []
  const ended = Result.try({
    try: () =>
      parse(csv, {
        delimiter,
        bom: true,
        relax_column_count: true,
        relax_quotes: true,
        skip_empty_lines: true,
        on_record: (cells: ReadonlyArray<string>, { lines }) => {
          records.push({ row: lines, cells })
          return null
        }
      }),
    catch: (error) => problemOf({ row: error instanceof CsvError ? lineOf(error) : null, error: "the file ends within a quoted field: it was cut off" })
  })
  const [header, ...rest] = records
  const columns = new Map((header?.cells ?? []).map((name, index) => [columnName(name), index]))
  return {
    rows: rest.map(({ cells, row }) => ({
      row,
      cell: (...names) => {
        const name = names.find((one) => columns.has(one))
        return name === undefined ? "" : cells[columns.get(name) ?? -1]?.trim() ?? ""
      }
    })),
    problems: Result.isFailure(ended) ? [ended.failure] : []
  }
}

const lineOf = (error: CsvError): number | null => {
  const line: unknown = error["lines"]
  return typeof line === "number" ? line : null
}

/**
 * Rows of a CSV file by the names of its columns, each with its line. A row that does not have as many fields as there are columns, or in
 * which a quote is missing or too many, is told and left out: what it says cannot be known, and a guess would put one field in the place of another.
 */
import { columnName } from "@englog/domain/imports/CsvFormat"
import type { ImportProblem } from "@englog/domain/imports/ImportedItem"
import { type CsvError, parse } from "csv-parse/sync"
import { Schema } from "effect"
import { problemOf } from "../ImportText.ts"

export interface CsvRow {
  /** Line on which it begins, from 1. */
  readonly row: number
  /** Empty where there is no such column; the first of several names that there is. */
  readonly cell: (...names: ReadonlyArray<string>) => string
}

export interface CsvRows {
  readonly rows: ReadonlyArray<CsvRow>
  readonly problems: ReadonlyArray<ImportProblem>
}

/** Or what is wrong with the first row. */
export const readRows = (csv: string, delimiter: string): CsvRows | string => {
  const bytes = Buffer.from(csv)
  const lineOf = lineCounter(bytes)
  const rows: Array<CsvRow> = []
  const problems: Array<ImportProblem> = []
  let header: ReadonlyArray<string> | undefined
  let broken = false
  const columns = new Map<string, number>()

  const take = (cells: ReadonlyArray<string>, begin: number) => {
    if (header === undefined) {
      header = cells
      cells.forEach((name, index) => columns.set(columnName(name), index))
      return
    }
    const row = lineOf(begin)
    from = begin
    const problem = countProblem(header, cells)
    if (problem !== undefined) problems.push(problemOf({ row, ...problem }))
    else rows.push({ row, cell: (...names) => cells[columns.get(names.find((one) => columns.has(one)) ?? "") ?? -1]?.trim() ?? "" })
  }

  let from = 0
  /** `raw`: the row up to where it went wrong, which the parser names by no place. */
  const skip = (error: CsvError | undefined, raw = "") => {
    if (header === undefined) broken = true
    from = Math.max(from, bytes.indexOf(raw.replace(/^[\r\n]+/, ""), from))
    const row = lineOf(from)
    // One row may have several of them.
    if (problems.at(-1)?.row === row) return
    const index = Number(error?.["index"])
    const unclosed = error?.code === "CSV_QUOTE_NOT_CLOSED"
    problems.push(problemOf({
      row,
      field: header?.[index] ?? null,
      error: unclosed
        ? "its quote is never closed: nothing was read from here to the end of the file, which was cut off perhaps"
        : "a quote is missing or too many: this row was not read, nor what the quote took in of the rows behind it"
    }))
  }

  parse(bytes, {
    delimiter,
    bom: true,
    record_delimiter: ["\r\n", "\n", "\r"],
    relax_column_count: true,
    skip_empty_lines: true,
    skip_records_with_empty_values: true,
    skip_records_with_error: true,
    raw: true,
    on_skip: (error, raw) => {
      skip(error, raw)
      return undefined
    },
    on_record: (recorded: unknown, { bytes: end }) => {
      const { raw, record } = decodeRecorded(recorded)
      take(record, beginOf(bytes, end, raw))
      return null
    }
  })
  return broken ? "row 1: a quote is missing or too many in the names of the columns" : { rows, problems }
}

/** What the parser tells of a record with `raw`; its types say something else. */
const decodeRecorded = Schema.decodeUnknownSync(Schema.Struct({ record: Schema.Array(Schema.String), raw: Schema.String }))

/** Spreadsheets fill rows up with empty fields. */
const countProblem = (header: ReadonlyArray<string>, cells: ReadonlyArray<string>): Pick<ImportProblem, "field" | "error"> | undefined => {
  const counts = `the row has ${cells.length} ${cells.length === 1 ? "field" : "fields"} for ${header.length} columns`
  return cells.length < header.length
    ? { field: header[cells.length] ?? null, error: `is missing: ${counts}, so it was cut off or a delimiter is missing` }
    : cells.slice(header.length).some((cell) => cell.trim() !== "")
    ? { field: null, error: `${counts}: a field that holds a delimiter has to be quoted` }
    : undefined
}

const [LINE_FEED, CARRIAGE_RETURN] = [0x0a, 0x0d]

const endsLine = (byte: number | undefined): boolean => byte === LINE_FEED || byte === CARRIAGE_RETURN

/** Where a record begins that ends there, line's end included. */
const beginOf = (bytes: Uint8Array, end: number, raw: string): number => {
  let place = end
  while (endsLine(bytes[place - 1])) place--
  return place - Buffer.byteLength(raw.replace(/^[\r\n]+|[\r\n]+$/g, ""))
}

/** Lines by their bytes, from 1, whatever ends them; places have to be asked for in their order. The parser counts CRLF in quotes twice. */
const lineCounter = (bytes: Uint8Array) => {
  let line = 1
  let counted = 0
  return (place: number): number => {
    for (; counted < place; counted++) {
      if (bytes[counted] === LINE_FEED || (bytes[counted] === CARRIAGE_RETURN && bytes[counted + 1] !== LINE_FEED)) line++
    }
    return line
  }
}

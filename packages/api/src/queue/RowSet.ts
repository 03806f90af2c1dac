/**
 * Rows as parameters of a statement, by column: PostgreSQL reads arrays several times faster than JSON. What is the same in all of
 * them is sent once: of the two dozen columns of a hundred tasks that come in together hardly three differ, and to take an array
 * apart again row by row costs more than most of its values are worth.
 */
import { PgTypes } from "@effect/sql-pg"
import type { SqlClient } from "effect/sql"
import type { Fragment } from "effect/sql/Statement"
import { arrayOf } from "./Columns.ts"

/** One value for each row: all of them where they differ, else the one. */
export interface Column {
  readonly each: PgTypes.Parameter
  readonly all: PgTypes.Parameter
}

const column = <A>(oid: number, one: (value: A | null) => PgTypes.Parameter) => {
  const many = arrayOf<A | null>(oid)
  const [nothing, none] = [many([]), one(null)]
  return (values: ReadonlyArray<A | null>): Column => {
    const [first = null] = values
    return values.every((value) => value === first) ? { each: nothing, all: one(first) } : { each: many(values), all: none }
  }
}

export const Column = {
  text: column(PgTypes.OID.text, PgTypes.text),
  uuid: column(PgTypes.OID.uuid, PgTypes.uuid),
  int4: column(PgTypes.OID.int4, PgTypes.int4),
  int8: column(PgTypes.OID.int8, PgTypes.int8),
  float8: column(PgTypes.OID.float8, PgTypes.float8),
  bool: column(PgTypes.OID.bool, PgTypes.bool)
}

const numbers = arrayOf<bigint>(PgTypes.OID.int8)

/** A query, in parentheses, of as many rows as there are `number`s, with a column of that name and these. */
export const rowSet = (sql: SqlClient.SqlClient, number: ReadonlyArray<bigint>, columns: Readonly<Record<string, Column>>): Fragment => {
  const named = Object.entries(columns)
  const values = named.map(([name, { all }]) => sql`coalesce(r.${sql(name)}, ${all}) AS ${sql(name)}`)
  const arrays = named.map(([, { each }]) => sql`${each}`)
  const names = named.map(([name]) => sql`${sql(name)}`)
  return sql`(SELECT r.number, ${sql.csv(values)} FROM unnest(${numbers(number)}, ${sql.csv(arrays)}) AS r (number, ${sql.csv(names)}))`
}

/** Columns of values as parameters of a statement, with the types that PostgreSQL is to read them as: nothing is guessed from them. */
import { PgTypes } from "@effect/sql-pg"
import { Result } from "effect"

const { OID } = PgTypes

/** Every element type used here has an array type. */
const column = (oid: number) => (values: ReadonlyArray<unknown>) => Result.getOrThrow(PgTypes.array(values, oid))

export const texts: (values: ReadonlyArray<string | null>) => PgTypes.Parameter = column(OID.text)
export const int4s: (values: ReadonlyArray<number | null>) => PgTypes.Parameter = column(OID.int4)
export const int8s: (values: ReadonlyArray<bigint | null>) => PgTypes.Parameter = column(OID.int8)
export const float8s: (values: ReadonlyArray<number | null>) => PgTypes.Parameter = column(OID.float8)
export const bools: (values: ReadonlyArray<boolean | null>) => PgTypes.Parameter = column(OID.bool)

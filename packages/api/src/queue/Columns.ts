/** Columns of values as parameters of a statement, with the types that PostgreSQL is to read them as: nothing is guessed from them. */
import { PgTypes } from "@effect/sql-pg"
import { Result } from "effect"

const { OID } = PgTypes

/** Every element type used here has an array type. */
export const arrayOf = <A>(oid: number) => (values: ReadonlyArray<A>): PgTypes.Parameter => Result.getOrThrow(PgTypes.array(values, oid))

export const texts = arrayOf<string | null>(OID.text)
export const int4s = arrayOf<number | null>(OID.int4)
export const int8s = arrayOf<bigint | null>(OID.int8)

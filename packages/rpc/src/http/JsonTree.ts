/** JSON of which nothing is known, to be looked into and changed. */
import { Predicate } from "effect"

export type Json = Readonly<Record<string, unknown>>

export const children = (value: unknown): Json => Predicate.isObject(value) ? { ...value } : {}

export const mapValues = (value: unknown, f: (child: unknown, key: string) => unknown): Json =>
  Object.fromEntries(Object.entries(children(value)).map(([key, child]) => [key, f(child, key)]))

/**
 * Many changes of entries in one request. Over REST each operation is read for itself, so that one that does not fit is told
 * in its own place; what they look like is said in the OpenAPI document all the same.
 */
import { LogEntry } from "@englog/domain/entries/LogEntry"
import { EntryId } from "@englog/domain/Ids"
import { Schema } from "effect"
import { EntryPayload } from "./EntryPayload.ts"
import { ErrorDetails } from "./ErrorAnswer.ts"
import { ErrorCode } from "./ErrorCodes.ts"

/** Of one request. */
export const maxOperations = 1_000

const ifMatch = Schema.optionalKey(Schema.String.annotate({ description: "The `etag` the entry must still have." }))

export const BulkOperation = Schema.Union([
  Schema.Struct({ action: Schema.Literal("create"), entry: EntryPayload }),
  Schema.Struct({ action: Schema.Literal("update"), id: EntryId, entry: EntryPayload, if_match: ifMatch }),
  Schema.Struct({ action: Schema.Literal("delete"), id: EntryId, if_match: ifMatch })
])
export type BulkOperation = typeof BulkOperation.Type

/** As JSON Schema, with what has a name by its place in the OpenAPI document. */
const shape: unknown = JSON.parse(
  JSON.stringify(Schema.toJsonSchemaDocument(BulkOperation, { onExcessProperty: "error" }).schema).replaceAll("#/$defs/", "#/components/schemas/")
)

/** Anything; documented as what it should be. */
const AnyOperation = Schema.Json.check(
  Schema.makeFilter<Schema.Json>(() => undefined, { toJsonSchema: () => [{ ...Object(shape) }, true] })
)

const bulkOf = <S extends Schema.Top>(operation: S) =>
  Schema.Struct({
    operations: Schema.Array(operation).check(Schema.isMinLength(1), Schema.isMaxLength(maxOperations)),
    atomic: Schema.optionalKey(Schema.Boolean.annotate({ description: "All or none; false where it is not given." }))
  })

export const BulkPayload = bulkOf(AnyOperation).annotate({ identifier: "BulkPayload" })
export const TypedBulkPayload = bulkOf(BulkOperation)

/** What became of one operation, as if it had been a request of its own. */
export const BulkItem = Schema.Struct({
  index: Schema.Int.annotate({ description: "Its place among the operations, from 0." }),
  status: Schema.Int.annotate({
    description: "201 created, 200 updated, 204 deleted, 400 does not fit, 404 no such entry, 409 contradicts what is stored, "
      + "412 changed since, 424 undone because of another one"
  }),
  entry: Schema.NullOr(LogEntry),
  error: Schema.NullOr(Schema.String),
  code: Schema.NullOr(ErrorCode),
  details: ErrorDetails
})
export type BulkItem = typeof BulkItem.Type

export const BulkResult = Schema.Struct({
  items: Schema.Array(BulkItem),
  succeeded: Schema.Int,
  failed: Schema.Int,
  /** Of `atomic: true`: the operation for which nothing was changed. */
  failed_index: Schema.NullOr(Schema.Int).annotate({
    description: "With `atomic`, the operation for which all others were undone; else null."
  })
}).annotate({ identifier: "BulkResult" })
export type BulkResult = typeof BulkResult.Type

/**
 * The fields that many messages of the contract share, carried between protobuf and `WorkerMessages`: session proofs,
 * held tasks, ids, times and registration metadata. Decoders fail through a `Reject`, which says whose mistake it is.
 */
import { type Timestamp, timestampFromMs, timestampMs } from "@bufbuild/protobuf/wkt"
import { TaskId, WorkerId } from "@englog/domain/Ids"
import { DateTime, Effect, Option, Redacted, Result, Schema } from "effect"
import { MAX_METADATA_LENGTH, MAX_NAME_LENGTH, MAX_NAMES } from "./WireLimits.ts"
import { type GrpcCode, GrpcError } from "./GrpcError.ts"
import type * as Messages from "./WorkerMessages.ts"

export type Reject = (message: string) => GrpcError

const reject = (code: GrpcCode): Reject => (message) => new GrpcError({ code, message })
export const invalid = reject("INVALID_ARGUMENT")
export const broken = reject("INTERNAL")

/** Text that is no longer than it may be. */
export const bounded = (text: string, field: string, max: number) =>
  text.length <= max
    ? Effect.succeed(text)
    : Effect.fail(invalid(`${field}: has ${text.length} characters; give at most ${max}`))

/** Names that are neither too many nor too long. */
export const boundedNames = Effect.fnUntraced(function*(names: ReadonlyArray<string>, field: string) {
  if (names.length > MAX_NAMES) return yield* invalid(`${field}: has ${names.length} entries; give at most ${MAX_NAMES}`)
  return yield* Effect.forEach(names, (name) => bounded(name, field, MAX_NAME_LENGTH))
})

export const proof = (session: Messages.SessionProof) => ({
  workerId: session.worker_id,
  sessionToken: Redacted.value(session.session_token)
})

/** An empty token proves nothing; the gateway answers UNAUTHENTICATED as for any unknown one. */
export const decodeProof = Effect.fnUntraced(function*(request: { readonly workerId: string; readonly sessionToken: string }) {
  const decoded: Messages.SessionProof = {
    worker_id: yield* workerId(request.workerId),
    session_token: Redacted.make(yield* bounded(request.sessionToken, "session_token", MAX_NAME_LENGTH))
  }
  return decoded
})

export const heldTask = (held: Messages.HeldTask) => ({ taskId: held.task_id, attempt: held.attempt })

export const decodeHeld = Effect.fnUntraced(function*(
  held: { readonly taskId: string; readonly attempt: number },
  field: string,
  fail: Reject = invalid
) {
  if (held.attempt < 0) return yield* fail(`attempt: ${held.attempt} is negative`)
  const decoded: Messages.HeldTask = { task_id: yield* taskId(held.taskId, field, fail), attempt: held.attempt }
  return decoded
})

const parseTaskId = Schema.decodeUnknownResult(TaskId)
const parseWorkerId = Schema.decodeUnknownResult(WorkerId)

export const taskId = (text: string, field: string, fail: Reject) =>
  Result.match(parseTaskId(text), {
    onFailure: () => Effect.fail(fail(`${field}: "${text.slice(0, 200)}" is not a task id`)),
    onSuccess: (id) => Effect.succeed(id)
  })

export const workerId = (text: string) =>
  Result.match(parseWorkerId(text), {
    onFailure: () => Effect.fail(invalid("worker_id: give 1 to 200 characters")),
    onSuccess: (id) => Effect.succeed(id)
  })

/** What a worker says of itself beside the fields; values that the contract does not know are bounded like names. */
export const boundedMetadata = Effect.fnUntraced(function*(metadata: Readonly<Record<string, string>>, known: ReadonlyArray<string>) {
  const entries = Object.entries(metadata)
  if (entries.length > MAX_NAMES) return yield* invalid(`metadata: has ${entries.length} entries; give at most ${MAX_NAMES}`)
  for (const [name, value] of entries) {
    yield* bounded(name, "metadata", MAX_NAME_LENGTH)
    yield* bounded(value, `metadata.${name}`, known.includes(name) ? MAX_METADATA_LENGTH : MAX_NAME_LENGTH)
  }
})

export const maxConcurrentTasks = (text: string | undefined) => {
  if (text === undefined || text === "") return Effect.succeed(5)
  return /^[1-9]\d{0,3}$/.test(text)
    ? Effect.succeed(Number(text))
    : Effect.fail(invalid("metadata.max_concurrent_tasks: give a whole number from 1 to 9999"))
}

export const queueNames = (text: string | undefined): ReadonlyArray<string> => {
  const names = (text ?? "").split(",").map((name) => name.trim()).filter((name) => name !== "")
  return names.length === 0 ? ["default"] : names
}

export const secret = (name: string, value: Option.Option<Redacted.Redacted<string>>): Record<string, string> =>
  Option.match(value, { onNone: () => ({}), onSome: (redacted) => ({ [name]: Redacted.value(redacted) }) })

export const optionalSecret = (text: string | undefined) =>
  text === undefined || text === "" ? Option.none() : Option.some(Redacted.make(text))

export const timestamp = (at: DateTime.Utc): Timestamp => timestampFromMs(DateTime.toEpochMillis(at))

export const optionalTimestamp = (at: Option.Option<DateTime.Utc>): Timestamp | undefined =>
  Option.getOrUndefined(Option.map(at, timestamp))

export const dateTime = (at: Timestamp | undefined): Option.Option<DateTime.Utc> =>
  at === undefined ? Option.none() : DateTime.make(timestampMs(at)).pipe(Option.map(DateTime.toUtc))

/**
 * What the API does for EXTERNAL_SYNC: it tells the holder of a task where to send what, with which credentials, as the
 * connection is at that moment; and it notes at the connection whether a workflow took it.
 */
import { mapped, type N8nSecret, webhookUrl } from "@englog/domain/n8n/N8nConnection"
import { ExternalSync, SyncInput } from "@englog/domain/tasks/ExternalSync"
import type { TaskLease } from "@englog/domain/tasks/Task"
import { Effect, Layer, Option, Schema } from "effect"
import { InvalidResult, OutcomeEffectError, TaskKinds } from "../queue/TaskKinds.ts"
import { N8nRepo, type StoredConnection } from "./N8nRepo.ts"
import { sign } from "./N8nToken.ts"

/** Registers EXTERNAL_SYNC with the engine. */
export const N8nOutcomeLive = Layer.effectDiscard(Effect.gen(function*() {
  const kinds = yield* TaskKinds
  const repo = yield* N8nRepo

  const send = Effect.fnUntraced(function*({ connection, secret }: StoredConnection, task: TaskLease): Effect.fn.Return<SyncInput, OutcomeEffectError> {
    const { path, sync_type, test } = yield* Effect.orDie(decodePayload(task.payload))
    const type = connection.sync_types.find((one) => one.sync_type === sync_type)
    const target = path ?? type?.path
    if (target === undefined) return { _tag: "Gone", reason: `the connection ${connection.name} takes no ${sync_type ?? "data"} any more` }
    const data = mapped(yield* Effect.orDie(decodeJson(task.private_input ?? "null")), type?.mapping ?? null)
    return {
      _tag: "Send",
      url: webhookUrl(connection.base_url, target, test),
      headers: {
        "content-type": "application/json",
        // Of one task, whatever attempt: a workflow can tell what it has had already.
        "idempotency-key": task.task_id,
        ...(yield* credentials(secret))
      },
      body: JSON.stringify({ sync_type, organization_id: task.organization_id, task_id: task.task_id, data }),
      timeout: connection.timeout
    }
  })

  yield* kinds.register({
    kind: ExternalSync.kind,
    data: Effect.fn("N8nOutcome.data")(function*(task) {
      const { connection_id } = yield* Effect.orDie(decodePayload(task.payload))
      const found = yield* repo.find(connection_id)
      const input: SyncInput = Option.isSome(found) && found.value.connection.organization_id === task.organization_id
        ? yield* send(found.value, task)
        : { _tag: "Gone", reason: "the connection has been deleted" }
      return yield* Effect.orDie(encodeInput(input))
    }),
    onFailed: Effect.fn("N8nOutcome.onFailed")(function*({ payload, task_id }) {
      const { connection_id } = yield* Effect.orDie(decodePayload(payload))
      yield* repo.noteFailure(connection_id, task_id)
    }),
    onCompleted: Effect.fn("N8nOutcome.onCompleted")(function*(task, result) {
      yield* decodeResult(result).pipe(Effect.mapError((error) => new InvalidResult({ message: `result: ${error.message}` })))
      const { connection_id } = yield* Effect.orDie(decodePayload(task.payload))
      yield* repo.noteSuccess(connection_id, task.task_id)
      return result
    })
  })
}))

const credentials = (secret: N8nSecret): Effect.Effect<Readonly<Record<string, string>>, OutcomeEffectError> => {
  switch (secret.type) {
    case "none":
      return Effect.succeed({})
    case "basic":
      return Effect.succeed({ authorization: `Basic ${Buffer.from(`${secret.username}:${secret.password}`, "utf8").toString("base64")}` })
    case "header":
      return Effect.succeed({ [secret.name.toLowerCase()]: secret.value })
    case "jwt":
      return sign(secret).pipe(
        Effect.map((token) => ({ authorization: `Bearer ${token}` })),
        Effect.mapError((cause) => new OutcomeEffectError({ kind: ExternalSync.kind, cause }))
      )
  }
}

const decodePayload = Schema.decodeEffect(Schema.fromJsonString(ExternalSync.payload))
const decodeJson = Schema.decodeEffect(Schema.fromJsonString(Schema.Json))
const encodeInput = Schema.encodeEffect(Schema.fromJsonString(SyncInput))
const decodeResult = Schema.decodeEffect(Schema.fromJsonString(ExternalSync.result))

import { create, fromBinary, type DescMessage, type MessageInitShape, toBinary } from "@bufbuild/protobuf"
import { assert, describe, it } from "@effect/vitest"
import { TaskId, WorkerId } from "@englog/domain/Ids"
import { narrationPolicy } from "@englog/domain/tasks/TaskPolicy"
import * as HeartbeatCodec from "@englog/rpc/grpc/HeartbeatCodec"
import * as RegistrationCodec from "@englog/rpc/grpc/RegistrationCodec"
import * as ReportCodec from "@englog/rpc/grpc/ReportCodec"
import * as TaskStreamCodec from "@englog/rpc/grpc/TaskStreamCodec"
import type * as Messages from "@englog/rpc/grpc/WorkerMessages"
import { DateTime, Duration, Effect, Option, Redacted } from "effect"
import * as pb from "../../src/grpc/gen/englog/v1/worker_pb.js"

/** Through the bytes of the wire, as the other side gets it. */
const wire = <D extends DescMessage>(schema: D, fields: MessageInitShape<D>) =>
  fromBinary(schema, toBinary(schema, create(schema, fields)))

const at = DateTime.makeUnsafe("2025-08-01T10:30:00.123Z")
const session = { worker_id: WorkerId.make("worker-1"), session_token: Redacted.make("secret") }
const held = { task_id: TaskId.make("insight_0123456789"), attempt: 2 }

describe("a registration", () => {
  const registration: Messages.WorkerRegistration = {
    worker_id: session.worker_id,
    worker_name: "EngLog Worker",
    version: "0.1.0",
    kinds: ["INSIGHT_GENERATION", "NOTIFICATION", "DOCUMENT_PROCESSING"],
    announced_kinds: [{ name: "DOCUMENT_PROCESSING", payload_schema: "{}", result_schema: "true", policy: Option.some(narrationPolicy) }],
    max_concurrent_tasks: 7,
    queues: ["default", "slow"],
    protocol: 2,
    resume_session_token: Option.some(Redacted.make("old")),
    enrollment_token: Option.none(),
    metadata: { zone: "b" }
  }

  it.effect("arrives as it was sent", () =>
    Effect.gen(function*() {
      const arrived = yield* RegistrationCodec.decodeRegistration(wire(pb.RegisterWorkerRequestSchema, RegistrationCodec.encodeRegistration(registration)))
      assert.deepStrictEqual(arrived, registration)
    }))

  it("names the five kinds by capability and only the others by name", () => {
    const sent = wire(pb.RegisterWorkerRequestSchema, RegistrationCodec.encodeRegistration(registration))
    assert.deepStrictEqual(sent.capabilities, [1, 5])
    assert.deepStrictEqual(sent.kinds, ["DOCUMENT_PROCESSING"])
  })

  it.effect("of a worker that knows only the contract gets its defaults", () =>
    Effect.gen(function*() {
      const arrived = yield* RegistrationCodec.decodeRegistration(wire(pb.RegisterWorkerRequestSchema, { workerId: "w", capabilities: [1, 0] }))
      assert.strictEqual(arrived.protocol, 1)
      assert.strictEqual(arrived.max_concurrent_tasks, 5)
      assert.deepStrictEqual(arrived.queues, ["default"])
      assert.deepStrictEqual(arrived.kinds, ["INSIGHT_GENERATION"])
    }))

  it.effect("is refused without id, without kinds, and with a senseless window", () =>
    Effect.gen(function*() {
      const refused = (fields: MessageInitShape<typeof pb.RegisterWorkerRequestSchema>) =>
        Effect.flip(RegistrationCodec.decodeRegistration(wire(pb.RegisterWorkerRequestSchema, fields)))
      const nameless = yield* refused({ capabilities: [1] })
      assert.strictEqual(nameless.code, "INVALID_ARGUMENT")
      assert.include(nameless.message, "worker_id")
      assert.include((yield* refused({ workerId: "w" })).message, "capabilities")
      const window = yield* refused({ workerId: "w", capabilities: [1], metadata: { max_concurrent_tasks: "-3" } })
      assert.include(window.message, "max_concurrent_tasks")
    }))

  it.effect("is answered with token and interval", () =>
    Effect.gen(function*() {
      const answer = yield* RegistrationCodec.decodeRegistrationAnswer(
        wire(
          pb.RegisterWorkerResponseSchema,
          RegistrationCodec.encodeRegistrationAnswer({
            session_token: session.session_token,
            heartbeat_interval: Duration.seconds(30),
            message: "welcome"
          })
        )
      )
      assert.strictEqual(Redacted.value(answer.session_token), "secret")
      assert.strictEqual(Duration.toSeconds(answer.heartbeat_interval), 30)
    }))
})

describe("a task stream message", () => {
  const task: Messages.WorkerTask = {
    task_id: held.task_id,
    kind: "WEEKLY_REPORT",
    payload: "{}",
    priority: 5,
    attempt: 2,
    deadline: Option.some(at),
    traceparent: Option.some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
  }
  const messages: ReadonlyArray<Messages.ToWorker> = [
    { _tag: "Task", task },
    { _tag: "Task", task: { ...task, kind: "DOCUMENT_PROCESSING", deadline: Option.none(), traceparent: Option.none() } },
    { _tag: "Ping", sequence: 18_446_744_073_709_551_615n },
    { _tag: "CancelTask", ...held, reason: "asked by its owner" },
    { _tag: "Drain", reason: "deploy" }
  ]

  for (const message of messages) {
    it.effect(`arrives as it was sent: ${message._tag}`, () =>
      Effect.gen(function*() {
        const arrived = yield* TaskStreamCodec.decodeToWorker(wire(pb.TaskRequestSchema, TaskStreamCodec.encodeToWorker(message)))
        assert.deepStrictEqual(arrived, Option.some(message))
      }))
  }

  it.effect("without a kind is understood by its task type", () =>
    Effect.gen(function*() {
      const arrived = yield* TaskStreamCodec.decodeToWorker(wire(pb.TaskRequestSchema, { taskId: held.task_id, taskType: pb.TaskType.CLEANUP }))
      const message = Option.getOrThrow(arrived)
      assert.strictEqual(message._tag === "Task" && message.task.kind, "CLEANUP")
    }))

  it.effect("with a command of a newer server is skipped, not an error", () =>
    Effect.gen(function*() {
      assert.isTrue(Option.isNone(yield* TaskStreamCodec.decodeToWorker(wire(pb.TaskRequestSchema, { command: {} }))))
    }))
})

describe("a report", () => {
  const outcomes: ReadonlyArray<Messages.AttemptOutcome> = [
    { _tag: "Completed", result: "{\"content\":\"x\"}" },
    { _tag: "Failed", error: "no model", retryable: true },
    { _tag: "Failed", error: "no such template", retryable: false },
    { _tag: "Failed", error: "too busy", retryable: true, retry_after: 1_500, detail: "{\"status_code\":429}" },
    { _tag: "Cancelled", error: "asked" }
  ]
  for (const outcome of outcomes) {
    it.effect(`arrives as it was sent: ${JSON.stringify(outcome)}`, () =>
      Effect.gen(function*() {
        const report: Messages.OutcomeReport = {
          ...session,
          ...held,
          outcome,
          started_at: Option.some(at),
          completed_at: Option.none()
        }
        const arrived = yield* ReportCodec.decodeReport(wire(pb.TaskResultRequestSchema, ReportCodec.encodeReport(report)))
        assert.deepStrictEqual(arrived, report)
      }))
  }

  it.effect("is refused with a state that ends nothing, or for something that is no task", () =>
    Effect.gen(function*() {
      const base = { workerId: "w", sessionToken: "t" }
      const running = yield* Effect.flip(
        ReportCodec.decodeReport(wire(pb.TaskResultRequestSchema, { ...base, taskId: held.task_id, status: pb.TaskStatus.PROCESSING }))
      )
      assert.include(running.message, "status")
      const nothing = yield* Effect.flip(
        ReportCodec.decodeReport(wire(pb.TaskResultRequestSchema, { ...base, taskId: "'; drop", status: pb.TaskStatus.FAILED }))
      )
      assert.include(nothing.message, "task_id")
    }))

  it.effect("of progress must lie within 0 and 100", () =>
    Effect.gen(function*() {
      for (const progress of [-1, 101]) {
        const error = yield* Effect.flip(
          ReportCodec.decodeProgress(wire(pb.TaskProgressRequestSchema, { workerId: "w", taskId: held.task_id, progress }))
        )
        assert.strictEqual(error.code, "INVALID_ARGUMENT")
        assert.include(error.message, "progress")
      }
    }))
})

describe("a heartbeat", () => {
  const beat: Messages.Heartbeat = {
    ...session,
    status: "draining",
    stats: Option.some({
      active_tasks: 1,
      completed_tasks: 2,
      failed_tasks: 3,
      cpu_usage: 0.5,
      memory_usage: 128,
      started_at: Option.some(at)
    }),
    held_tasks: [held],
    acknowledged_ping: 9n
  }

  it.effect("arrives as it was sent", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* HeartbeatCodec.decodeHeartbeat(wire(pb.WorkerHeartbeatRequestSchema, HeartbeatCodec.encodeHeartbeat(beat))), beat)
    }))

  it.effect("is answered with what the worker holds no more", () =>
    Effect.gen(function*() {
      const answer: Messages.HeartbeatAnswer = { connection_healthy: true, server_time: at, revoked_tasks: [held] }
      const arrived = yield* HeartbeatCodec.decodeHeartbeatAnswer(
        wire(pb.WorkerHeartbeatResponseSchema, HeartbeatCodec.encodeHeartbeatAnswer(answer))
      )
      assert.deepStrictEqual(arrived, answer)
    }))
})

/** How a worker and the server are: WorkerHeartbeat and HealthCheck, between `WorkerMessages` and the protobuf contract. */
import type { MessageInitShape } from "@bufbuild/protobuf"
import { DateTime, Effect, Option } from "effect"
import * as pb from "./gen/englog/v1/worker_pb.js"
import { broken, dateTime, decodeHeld, decodeProof, heldTask, invalid, optionalTimestamp, proof, timestamp } from "./WireFields.ts"
import { MAX_HELD_TASKS } from "./WireLimits.ts"
import type * as Messages from "./WorkerMessages.ts"

const statusNames = [
  { name: "idle", status: pb.WorkerStatus.IDLE },
  { name: "busy", status: pb.WorkerStatus.BUSY },
  { name: "draining", status: pb.WorkerStatus.DRAINING },
  { name: "unhealthy", status: pb.WorkerStatus.UNHEALTHY }
] as const

export const statusNumber = (status: Messages.WorkerStatus): pb.WorkerStatus =>
  statusNames.find((entry) => entry.name === status)?.status ?? pb.WorkerStatus.UNSPECIFIED

export const statusOf = (status: pb.WorkerStatus): Messages.WorkerStatus | undefined =>
  statusNames.find((entry) => entry.status === status)?.name

export const encodeHeartbeat = (beat: Messages.Heartbeat): MessageInitShape<typeof pb.WorkerHeartbeatRequestSchema> => ({
  ...proof(beat),
  status: statusNumber(beat.status),
  heldTasks: beat.held_tasks.map(heldTask),
  acknowledgedPing: beat.acknowledged_ping,
  ...Option.match(beat.stats, {
    onNone: () => ({}),
    onSome: (stats) => ({
      stats: {
        activeTasks: stats.active_tasks,
        completedTasks: stats.completed_tasks,
        failedTasks: stats.failed_tasks,
        cpuUsage: stats.cpu_usage,
        memoryUsage: stats.memory_usage,
        uptime: optionalTimestamp(stats.started_at)
      }
    })
  })
})

export const decodeHeartbeat = Effect.fnUntraced(function*(request: pb.WorkerHeartbeatRequest) {
  const held = request.heldTasks.length
  if (held > MAX_HELD_TASKS) return yield* invalid(`held_tasks: has ${held} entries; give at most ${MAX_HELD_TASKS}`)
  const { stats } = request
  const beat: Messages.Heartbeat = {
    ...(yield* decodeProof(request)),
    // A worker that states no status is taken at its word by its number of tasks.
    status: statusOf(request.status) ??
      ((stats?.activeTasks ?? 0) > 0 ? "busy" : "idle"),
    stats: Option.map(Option.fromUndefinedOr(stats), (given) => ({
      active_tasks: given.activeTasks,
      completed_tasks: given.completedTasks,
      failed_tasks: given.failedTasks,
      cpu_usage: given.cpuUsage,
      memory_usage: given.memoryUsage,
      started_at: dateTime(given.uptime)
    })),
    held_tasks: yield* Effect.forEach(request.heldTasks, (held) => decodeHeld(held, "held_tasks.task_id")),
    acknowledged_ping: request.acknowledgedPing
  }
  return beat
})

export const encodeHeartbeatAnswer = (
  answer: Messages.HeartbeatAnswer
): MessageInitShape<typeof pb.WorkerHeartbeatResponseSchema> => ({
  connectionHealthy: answer.connection_healthy,
  serverTime: timestamp(answer.server_time),
  revokedTasks: answer.revoked_tasks.map(heldTask)
})

export const decodeHeartbeatAnswer = Effect.fnUntraced(function*(response: pb.WorkerHeartbeatResponse) {
  const answer: Messages.HeartbeatAnswer = {
    connection_healthy: response.connectionHealthy,
    server_time: Option.getOrElse(dateTime(response.serverTime), () => DateTime.makeUnsafe(0)),
    revoked_tasks: yield* Effect.forEach(response.revokedTasks, (held) => decodeHeld(held, "revoked_tasks.task_id", broken))
  }
  return answer
})

export const encodeServerHealth = (health: Messages.ServerHealth): MessageInitShape<typeof pb.HealthCheckResponseSchema> => ({
  status: health.status,
  services: { ...health.services },
  timestamp: timestamp(health.timestamp)
})

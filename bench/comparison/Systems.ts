/** Who is compared, in which configuration, at what. */
import { engLogSystem } from "./englog/EngLogSystem.ts"
import { type Metric, type System, twoProcesses } from "./System.ts"

const enqueue = ["enqueue_single", "enqueue_bulk"] as const satisfies ReadonlyArray<Metric>
const pace = ["pickup", "steady"] as const satisfies ReadonlyArray<Metric>
const drains = ["drain_10", "drain_50"] as const satisfies ReadonlyArray<Metric>
const heldDrains = ["drain_10_held", "drain_50_held"] as const satisfies ReadonlyArray<Metric>

export interface Scale {
  readonly historyRows: number
  readonly redisUrl: string | undefined
}

export const systemsOf = ({ historyRows, redisUrl }: Scale): ReadonlyArray<System> => [
  twoProcesses({ name: "raw", engine: "raw", variant: "held", kind: "floor", slots: "held", metrics: [...enqueue, ...heldDrains] }),
  twoProcesses({ name: "raw-freed", engine: "raw", variant: "freed", kind: "floor", slots: "freed", metrics: drains }),
  twoProcesses({ name: "raw-notify", engine: "raw", variant: "notify", kind: "floor", slots: "held", metrics: ["enqueue_single", ...pace] }),
  twoProcesses({
    name: "graphile-worker", engine: "graphile-worker", variant: "default", kind: "peer", slots: "held",
    metrics: [...enqueue, ...heldDrains, ...pace, "recovery"]
  }),
  twoProcesses({
    name: "graphile-worker-batched", engine: "graphile-worker", variant: "batched", kind: "peer", slots: "freed",
    metrics: [...enqueue, ...drains, "drain_256", ...pace, "recovery"]
  }),
  twoProcesses({
    // Its workers look every two seconds: no more than five jobs per second with ten of them.
    name: "pg-boss", engine: "pg-boss", variant: "default", kind: "peer", slots: "held",
    metrics: [...enqueue, ...heldDrains]
  }),
  twoProcesses({
    name: "pg-boss-tuned", engine: "pg-boss", variant: "tuned", kind: "peer", slots: "held",
    metrics: [...enqueue, ...heldDrains, ...pace, "recovery"]
  }),
  twoProcesses({
    name: "bullmq-postgres", engine: "bullmq", variant: "postgres", kind: "peer", slots: "held",
    metrics: [...enqueue, ...heldDrains, ...pace, "recovery"]
  }),
  ...redisUrl === undefined ? [] : [
    twoProcesses({
      name: "bullmq-redis", engine: "bullmq", variant: "redis", kind: "peer", slots: "held", url: redisUrl,
      metrics: [...enqueue, ...heldDrains, ...pace]
    })
  ],
  engLogSystem({
    name: "englog", variant: "in-process", slots: "freed",
    metrics: [...enqueue, ...drains, "drain_256", "drain_50_listeners", ...pace, "recovery"]
  }),
  engLogSystem({ name: "englog-held", variant: "in-process", slots: "held", metrics: heldDrains, workerEnv: HELD }),
  engLogSystem({ name: "englog-rpc", variant: "rpc", slots: "freed", metrics: ["enqueue_rpc"] }),
  engLogSystem({ name: "englog-history", variant: "history", slots: "freed", metrics: ["drain_50_history"], historyRows })
]

/** A worker whose slots take nothing before the outcome of the last task is durable. */
const HELD = { WORKER_SLOT_HELD: "true" }

/**
 * Task kinds on the wire: the five of seed 001 have enum numbers (the same for task types and capabilities), every other
 * kind travels by name only.
 */
import { TaskType, WorkerCapability } from "./gen/englog/v1/worker_pb.js"

const numbered = [
  { kind: "INSIGHT_GENERATION", type: TaskType.INSIGHT_GENERATION, capability: WorkerCapability.INSIGHT_GENERATION },
  { kind: "WEEKLY_REPORT", type: TaskType.WEEKLY_REPORT, capability: WorkerCapability.WEEKLY_REPORT },
  { kind: "DATA_ANALYSIS", type: TaskType.DATA_ANALYSIS, capability: WorkerCapability.DATA_ANALYSIS },
  { kind: "CLEANUP", type: TaskType.CLEANUP, capability: WorkerCapability.CLEANUP },
  { kind: "NOTIFICATION", type: TaskType.NOTIFICATION, capability: WorkerCapability.NOTIFICATION }
] as const

/** UNSPECIFIED for kinds beyond the five. */
export const taskTypeOf = (kind: string): TaskType =>
  numbered.find((entry) => entry.kind === kind)?.type ?? TaskType.UNSPECIFIED

/** `kind` where it is set (always, from our server), else the name of the task type. */
export const kindOfTask = (kind: string, type: TaskType): string | undefined =>
  kind === "" ? numbered.find((entry) => entry.type === type)?.kind : kind

/** Splits kinds into what the enum can say and what only names can say. */
export const announce = (kinds: ReadonlyArray<string>) => ({
  capabilities: numbered.filter((entry) => kinds.includes(entry.kind)).map((entry) => entry.capability),
  kinds: kinds.filter((kind) => !numbered.some((entry) => entry.kind === kind))
})

/** The kinds announced; capabilities this version does not know count for nothing. */
export const announced = (capabilities: ReadonlyArray<WorkerCapability>, kinds: ReadonlyArray<string>): ReadonlyArray<string> => {
  const known = capabilities.flatMap((capability) => numbered.find((entry) => entry.capability === capability)?.kind ?? [])
  return [...new Set([...known, ...kinds.filter((kind) => kind !== "")])]
}

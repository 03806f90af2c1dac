/**
 * What travels on a session's stream, free of protobuf: everything a tick brought, in one message. `SessionCodec` carries it.
 */
import type { AttemptOutcome, HeldTask, SessionProof, ToWorker, WorkerStatus, WorkerTask } from "./WorkerMessages.ts"

export interface SessionOpening extends SessionProof {
  /** What is with the worker; whatever else the session was given never arrived. */
  readonly held_tasks: ReadonlyArray<HeldTask>
  /** Tasks that may be with the worker at once, started or not; 0: as many as it can run. */
  readonly window: number
}

export interface NumberedOutcome extends HeldTask {
  /** Names it in the answer; unique on its stream. */
  readonly number: number
  readonly outcome: AttemptOutcome
  /** Of the attempt's span where its trace is sampled, else empty. */
  readonly traceparent: string
}

export interface TaskStep extends HeldTask {
  /** Percent. */
  readonly progress: number
  readonly message: string
}

export interface PingAnswer {
  readonly sequence: bigint
  readonly status: WorkerStatus
  readonly held_tasks: ReadonlyArray<HeldTask>
}

export interface FromWorker {
  readonly outcomes: ReadonlyArray<NumberedOutcome>
  readonly steps: ReadonlyArray<TaskStep>
  /** The newest delivery that was read; 0: none since. */
  readonly received_delivery: number
  readonly ping_answer: PingAnswer | undefined
  /** Delivered and not started. */
  readonly returned_tasks: ReadonlyArray<HeldTask>
  /** 0: as before. */
  readonly window: number
}

/** Not held: drop it. Invalid: report a failure instead. Later: report it again in a second. */
export type OutcomeRefusal = "not_held" | "invalid" | "later"

export interface RefusedOutcome {
  readonly number: number
  readonly refusal: OutcomeRefusal
  readonly reason: string
}

export interface RefusedStep extends HeldTask {
  readonly reason: string
}

export interface FromServer {
  /** Counts the messages with tasks, from 1; 0 in all others. */
  readonly delivery: number
  readonly tasks: ReadonlyArray<WorkerTask>
  readonly accepted: ReadonlyArray<number>
  readonly refused: ReadonlyArray<RefusedOutcome>
  readonly refused_steps: ReadonlyArray<RefusedStep>
  readonly commands: ReadonlyArray<Exclude<ToWorker, { readonly _tag: "Task" }>>
  readonly revoked_tasks: ReadonlyArray<HeldTask>
}

export const fromWorker = (parts: Partial<FromWorker>): FromWorker => ({
  outcomes: [],
  steps: [],
  received_delivery: 0,
  ping_answer: undefined,
  returned_tasks: [],
  window: 0,
  ...parts
})

export const fromServer = (parts: Partial<FromServer>): FromServer => ({
  delivery: 0,
  tasks: [],
  accepted: [],
  refused: [],
  refused_steps: [],
  commands: [],
  revoked_tasks: [],
  ...parts
})

/**
 * A kind of task: its name on the wire, what goes in, what comes out, and how it is queued and retried. A new kind is one
 * file here and one handler in the worker.
 */
import type { Schema } from "effect"
import type { TaskPolicy } from "./TaskPolicy.ts"

export interface TaskKind<
  Name extends string,
  Payload extends Schema.Codec<unknown, unknown>,
  Result extends Schema.Codec<unknown, unknown>
> {
  readonly kind: Name
  /** Carried to the worker as JSON. Ids only: text stays in the database (architecture.md, Encryption). */
  readonly payload: Payload
  /** What a worker hands in, as JSON; anything else is refused. */
  readonly result: Result
  readonly policy: TaskPolicy
  /** Who may submit it by its name; by default everybody. A path: only the endpoint there makes its payload. */
  readonly submittedBy?: "everybody" | "administrators" | `/${string}`
}

/** What the API says of a kind: `document_processing` for DOCUMENT_PROCESSING. */
export const publicName = (kind: string): string => kind.toLowerCase()

export const make = <
  const Name extends string,
  Payload extends Schema.Codec<unknown, unknown>,
  Result extends Schema.Codec<unknown, unknown>
>(kind: TaskKind<Name, Payload, Result>): TaskKind<Name, Payload, Result> => kind

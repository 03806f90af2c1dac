/**
 * How this API server takes part in what several of them do together. Alone: it does everything, and another one on the same
 * database stands by. With an address, on which the others reach it: they share the work.
 */
import { Context, type Duration } from "effect"

export type RunnerMode =
  | { readonly _tag: "Single" }
  | { readonly _tag: "Socket"; readonly host: string; readonly port: number; readonly listenHost: string }

export class RunnerConfig extends Context.Service<RunnerConfig, RunnerMode>()("@englog/api/replicas/RunnerConfig") {}

/** How soon the work of a replica that was killed goes on elsewhere: at the latest after both together. */
export const RunnerTimes = Context.Reference<{
  /** For so long a replica that says nothing keeps its work. */
  readonly lockExpiration: Duration.Input
  /** How often replicas look after their locks, and each other. */
  readonly refresh: Duration.Input
}>("@englog/api/replicas/RunnerTimes", { defaultValue: () => ({ lockExpiration: "10 seconds", refresh: "2 seconds" }) })

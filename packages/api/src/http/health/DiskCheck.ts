/** What `/health` tells about the embedded database's disk. */
import { Effect, Layer, Option } from "effect"
import { DiskGuard } from "../../db/DiskGuard.ts"
import { HealthChecks } from "./HealthChecks.ts"

export const DiskCheck = Layer.unwrap(Effect.map(DiskGuard, ({ space }) =>
  Option.match(space, {
    onNone: () => Layer.empty,
    onSome: (space) =>
      HealthChecks.component("disk", Effect.succeed({
        essential: false,
        check: Effect.map(space, ({ free, low }) => ({
          status: low ? "down" as const : "up" as const,
          detail: `${free === undefined ? "an unknown number of" : Math.floor(free / 1024 / 1024)} MiB are free${low ? ": nothing is written until there is more" : ""}`
        }))
      }))
  })))

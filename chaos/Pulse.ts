/**
 * Whether the run itself keeps up: its process carries every proxy, so that where it stands still, everything does, and what
 * looks like a fault of the cluster is one of the machine.
 */
import { Effect, Schedule } from "effect"
import { loadavg } from "node:os"
import { monitorEventLoopDelay } from "node:perf_hooks"

/** A pause of this process that would be told, in milliseconds. */
const LONG = 400

/** Looks every ten seconds; tells when there was something. */
export const watch = (tell: (line: string) => Effect.Effect<void>) =>
  Effect.acquireUseRelease(
    Effect.sync(() => {
      const delays = monitorEventLoopDelay({ resolution: 20 })
      delays.enable()
      return delays
    }),
    (delays) =>
      Effect.suspend(() => {
        const [mean, longest] = [delays.mean / 1e6, delays.max / 1e6]
        delays.reset()
        return longest < LONG ? Effect.void : tell(`(this process stood still for up to ${Math.round(longest)} ms, ${Math.round(mean)} ms on average; load ${loadavg()[0]?.toFixed(1)})`)
      }).pipe(Effect.repeat(Schedule.spaced("10 seconds"))),
    (delays) => Effect.sync(() => delays.disable())
  )

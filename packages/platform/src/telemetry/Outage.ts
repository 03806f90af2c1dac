/** A receiver of telemetry that does not answer is told once per outage, and once when it is over. */
import { Effect } from "effect"

/** `signal`: what is sent there, e.g. `traces`. Called after each export, with the error where it failed. */
export const outageLog = Effect.fnUntraced(function*(signal: string, url: string) {
  const log = Effect.runForkWith(yield* Effect.context<never>())
  let outage = false
  return (error: Error | undefined): void => {
    if (outage === (error !== undefined)) return
    outage = error !== undefined
    log(
      (error === undefined
        ? Effect.logInfo(`${url} takes ${signal} again`)
        : Effect.logWarning(`${signal} are lost: ${url} does not take them (${reasonOf(error)}); said once until it does`)).pipe(
          Effect.annotateLogs({ component: "telemetry", operation: `export_${signal}` })
        )
    )
  }
})

/** Node's code, such as ECONNREFUSED, or the HTTP status, where there is one. */
const reasonOf = (error: Error): string => {
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
    if ("code" in cause && cause.code !== undefined) return String(cause.code)
  }
  return error.message
}

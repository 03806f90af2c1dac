/** Waits for what no signal announces, by looking often; gives up with a sentence instead of running into a test's time limit. */
import { Effect, Schedule, Schema } from "effect"

export class NeverCame extends Schema.TaggedError<NeverCame>()("NeverCame", { what: Schema.String }) {
  override get message(): string {
    return `waited 30 s in vain: ${this.what}`
  }
}

export const waitUntil = (what: string, condition: () => boolean): Effect.Effect<void, NeverCame> =>
  Effect.sync(condition).pipe(
    Effect.repeat({ until: (holds) => holds, schedule: Schedule.spaced("20 millis") }),
    Effect.timeoutOrElse({ duration: "30 seconds", orElse: () => new NeverCame({ what }) }),
    Effect.asVoid
  )

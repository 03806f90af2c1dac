/**
 * Encryption of the text that tasks carry: results, errors, progress messages.
 */
import { Context, Effect, Layer } from "effect"
import { FieldCipher } from "../crypto/FieldCipher.ts"

export class TaskText extends Context.Service<TaskText, {
  readonly seal: (text: string | null) => Effect.Effect<string | null>
  /** A value that cannot be read (its key is gone) is a defect: showing it would be wrong, hiding it would lose it. */
  readonly open: (sealed: string | null) => Effect.Effect<string | null>
}>()("@englog/api/queue/TaskText") {
  static readonly layer = Layer.effect(
    TaskText,
    Effect.gen(function*() {
      const cipher = yield* FieldCipher
      return TaskText.of({
        seal: (text) => text === null ? Effect.succeed(null) : cipher.encrypt(text, CONTEXT),
        open: (sealed) => sealed === null ? Effect.succeed(null) : cipher.decrypt(sealed, CONTEXT).pipe(Effect.orDie)
      })
    })
  )
}

/** Bound into each value, so that a sealed text cannot be moved to another purpose. */
const CONTEXT = "tasks.text"

/**
 * Encryption of the text that tasks carry: private inputs, results, errors, progress messages. Each is bound to its task.
 */
import type { TaskId } from "@englog/domain/Ids"
import { Context, Effect, Layer } from "effect"
import type { EncryptedColumn } from "../crypto/EncryptedColumns.ts"
import { FieldCipher } from "../crypto/FieldCipher.ts"

export class TaskText extends Context.Service<TaskText, {
  readonly seal: (text: string | null, column: EncryptedColumn, task_id: TaskId) => Effect.Effect<string | null>
  /** A value that cannot be read (its key is gone) is a defect: showing it would be wrong, hiding it would lose it. */
  readonly open: (sealed: string | null, column: EncryptedColumn, task_id: TaskId) => Effect.Effect<string | null>
}>()("@englog/api/queue/TaskText") {
  static readonly layer = Layer.effect(
    TaskText,
    Effect.gen(function*() {
      const cipher = yield* FieldCipher
      return TaskText.of({
        seal: (text, column, task_id) => text === null ? Effect.succeed(null) : cipher.encrypt(text, column, task_id),
        open: (sealed, column, task_id) =>
          sealed === null ? Effect.succeed(null) : cipher.decrypt(sealed, column, task_id).pipe(Effect.orDie)
      })
    })
  )
}

/** `npm run admin` on the suite's database; answers what it prints at the end. */
import { Effect, Layer } from "effect"
import { parseAdminCommand, runAdminCommand } from "../../src/admin/AdminCommands.ts"
import { runOperatorCommand } from "../../src/admin/OperatorCommands.ts"
import { OperatorLive } from "../../src/admin/OperatorLive.ts"
import { FieldCipher } from "../../src/crypto/FieldCipher.ts"
import { KeyRotation } from "../../src/crypto/KeyRotation.ts"
import { EntryWordIndex } from "../../src/entries/EntryWordIndex.ts"
import { EngineSql } from "../../src/queue/EngineSql.ts"
import { encryptionKeys } from "./QueueEngine.ts"
import { configOf } from "./WholeApi.ts"

export const admin = (...args: ReadonlyArray<string>) =>
  parseAdminCommand(args).pipe(
    Effect.flatMap((command) =>
      command._tag === "NewKey" || command._tag === "Operator" ? Effect.die(new Error("is run otherwise")) : runAdminCommand(command)),
    Effect.provide([KeyRotation.layer, EntryWordIndex.layer])
  )

/** The commands about queues and workers, each with services of its own, as in a process of its own. */
export const operate = (...args: ReadonlyArray<string>) =>
  parseAdminCommand(args).pipe(
    Effect.flatMap((command) => command._tag === "Operator" ? runOperatorCommand(command.command) : Effect.die(new Error("is run otherwise"))),
    Effect.provide(Layer.fresh(OperatorLive).pipe(
      Layer.provide([EngineSql.layer, FieldCipher.layer(encryptionKeys), configOf()])
    ))
  )

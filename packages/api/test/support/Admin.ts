/** `npm run admin` on the suite's database; answers what it prints at the end. */
import { Effect } from "effect"
import { parseAdminCommand, runAdminCommand } from "../../src/admin/AdminCommands.ts"
import { KeyRotation } from "../../src/crypto/KeyRotation.ts"

export const admin = (...args: ReadonlyArray<string>) =>
  parseAdminCommand(args).pipe(
    Effect.flatMap((command) => command._tag === "NewKey" ? Effect.die(new Error("makes a key without a database")) : runAdminCommand(command)),
    Effect.provide(KeyRotation.layer)
  )

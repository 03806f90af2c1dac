/** `npm run admin`: on the machine and with the configuration of the API server. */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { Console, Effect, Layer, References } from "effect"
import { parseAdminCommand, runAdminCommand } from "./admin/AdminCommands.ts"
import { newKey } from "./admin/KeyCommands.ts"
import { runOperatorCommand } from "./admin/OperatorCommands.ts"
import { OperatorLive } from "./admin/OperatorLive.ts"
import { AppConfig } from "./AppConfig.ts"
import { UserRepo } from "./auth/UserRepo.ts"
import { DataLive } from "./layers/DataLive.ts"
import { EntryWordIndex } from "./entries/EntryWordIndex.ts"
import { SecurityEventRepo } from "./security/SecurityEventRepo.ts"

const quietly = Layer.succeed(References.MinimumLogLevel, "Warn")

const database = Layer.mergeAll(UserRepo.layer, SecurityEventRepo.layer, EntryWordIndex.layer).pipe(
  Layer.provideMerge(DataLive),
  Layer.provide([AppConfig.layer, NodeServices.layer])
)

const operator = OperatorLive.pipe(Layer.provide(DataLive), Layer.provide([AppConfig.layer, NodeServices.layer]))

parseAdminCommand(process.argv.slice(2)).pipe(
  Effect.flatMap((command) =>
    command._tag === "NewKey"
      ? Effect.provide(newKey(), AppConfig.layer)
      : command._tag === "Operator"
      ? runOperatorCommand(command.command).pipe(Effect.provide(operator), Effect.provideService(References.MinimumLogLevel, "Error"))
      : Effect.provide(runAdminCommand(command), database)
  ),
  Effect.flatMap((sentence) => Console.log(sentence)),
  Effect.tapError((error) => Console.error(error.message)),
  Effect.provide(quietly),
  NodeRuntime.runMain({ disableErrorReporting: true })
)

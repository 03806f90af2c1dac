/** `npm run seed`: a database with engineers who have worked for years, to try things out and to measure at size. */
import { NodeRuntime, NodeServices } from "@effect/platform-node"
import { AppConfig } from "@englog/api/AppConfig"
import { PasswordHasher } from "@englog/api/auth/PasswordHasher"
import { UserRepo } from "@englog/api/auth/UserRepo"
import { DataLive } from "@englog/api/layers/DataLive"
import { EntryRepo } from "@englog/api/entries/EntryRepo"
import { ProjectRepo } from "@englog/api/projects/ProjectRepo"
import { Console, Effect, Layer, References } from "effect"
import { seedArguments, seedUsage } from "./seed/SeedArguments.ts"
import { emailOf, seed } from "./seed/Seeder.ts"

const repos = Layer.mergeAll(UserRepo.layer, ProjectRepo.layer, EntryRepo.layer, PasswordHasher.layer).pipe(
  Layer.provideMerge(DataLive),
  Layer.provide([AppConfig.layer, NodeServices.layer])
)

Effect.gen(function*() {
  if (process.argv.includes("--help")) return yield* Console.log(seedUsage)
  const args = yield* seedArguments(process.argv.slice(2))
  const { entries, seconds, skipped, users } = yield* Effect.provide(seed(args, Console.error), repos)
  yield* Console.log(`${users} engineers with ${entries} entries in ${Math.round(seconds)} s: ${emailOf(1)} and so on.`)
  if (skipped > 0) yield* Console.log(`${skipped} accounts were there already and stay as they are.`)
}).pipe(
  Effect.tapError((error) => Console.error(error._tag === "SeedUsageError" ? `${error.message}\n\n${seedUsage}` : error.message)),
  Effect.provideService(References.MinimumLogLevel, "Warn"),
  NodeRuntime.runMain({ disableErrorReporting: true })
)

/** A process that holds an embedded PostgreSQL and nothing else: prints its url when ready, ends on SIGTERM. */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Console, Effect, Layer, Redacted } from "effect"
import { EmbeddedPostgres } from "../../src/db/EmbeddedPostgres.ts"

const announce = Effect.flatMap(EmbeddedPostgres, ({ url }) => Console.log(`ready ${Redacted.value(url)}`))

Layer.effectDiscard(announce).pipe(
  Layer.provide(EmbeddedPostgres.layer({ dataDir: process.argv[2] ?? "" })),
  Layer.launch,
  NodeRuntime.runMain
)

/**
 * The PostgreSQL server of a test run: an embedded one in a temporary folder, or the one that TEST_DATABASE_URL names.
 * Durability is off on the embedded one: nothing in it outlives the run.
 */
import { NodeFileSystem } from "@effect/platform-node"
import { Effect, Exit, FileSystem, Layer, Redacted, Scope } from "effect"
import { SqlClient } from "effect/sql"
import { randomBytes } from "node:crypto"
import { Database } from "../../src/db/Database.ts"
import { EmbeddedPostgres } from "../../src/db/EmbeddedPostgres.ts"

export interface TestServer {
  /** Administrator's. */
  readonly url: string
  /** Names what this run makes on the server. */
  readonly run: string
  readonly stop: () => Promise<void>
}

const settings = { fsync: "off", synchronous_commit: "off", full_page_writes: "off" }

const embedded = Effect.gen(function*() {
  const files = yield* FileSystem.FileSystem
  const dataDir = yield* files.makeTempDirectoryScoped({ prefix: "englog-test-" })
  return yield* Layer.build(EmbeddedPostgres.layer({ dataDir, settings })).pipe(
    Effect.flatMap((context) => Effect.provide(EmbeddedPostgres, context)),
    Effect.map(({ url }) => Redacted.value(url))
  )
})

/** A database whose process was killed stays; the run's name finds it. */
const dropRemains = (url: string, run: string) =>
  Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const names = yield* sql<{ readonly name: string }>`SELECT datname AS name FROM pg_database WHERE datname LIKE ${`englog_%_${run}%`}`
    yield* Effect.forEach(names, ({ name }) => sql`DROP DATABASE IF EXISTS ${sql(name)} WITH (FORCE)`)
  }).pipe(Effect.provide(Database.layer({ url: Redacted.make(url), maxConnections: 2 })))

export const startTestServer = (external: string | undefined): Promise<TestServer> =>
  Effect.gen(function*() {
    const scope = yield* Scope.make()
    const run = randomBytes(5).toString("hex")
    const url = external === undefined || external === "" ? yield* Scope.provide(embedded, scope) : external
    const stop = Effect.andThen(dropRemains(url, run), Scope.close(scope, Exit.void))
    const runPromise = Effect.runPromiseWith(yield* Effect.context<never>())
    return { url, run, stop: () => runPromise(stop) }
  }).pipe(Effect.provide(NodeFileSystem.layer), Effect.runPromise)

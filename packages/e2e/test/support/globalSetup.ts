/**
 * Makes the PostgreSQL that the installations of this run begin with a copy of (Installation): to make and to migrate one takes
 * longer than most tests do. How it is made is tested elsewhere (EmbeddedPostgres.test.ts, demo.test.ts).
 */
import { NodeFileSystem } from "@effect/platform-node"
import { Database } from "@englog/api/db/Database"
import { EmbeddedPostgres } from "@englog/api/db/EmbeddedPostgres"
import { Migrations } from "@englog/api/db/Migrations"
import { Effect, Exit, FileSystem, Layer, Scope } from "effect"

const migrated = Effect.gen(function*() {
  const fs = yield* FileSystem.FileSystem
  const dataDir = yield* fs.makeTempDirectoryScoped({ prefix: "englog-e2e-postgres-" })
  // PostgreSQL's user has to pass through it.
  yield* fs.chmod(dataDir, 0o711)
  return yield* Effect.gen(function*() {
    const { folder, url } = yield* EmbeddedPostgres
    yield* Layer.build(Migrations.layer.pipe(Layer.provide(Database.layer({ url }))))
    return folder
  }).pipe(Effect.scoped, Effect.provide(EmbeddedPostgres.layer({ dataDir, settings: { fsync: "off" } })))
})

export default function setup(): Promise<() => Promise<void>> {
  return Effect.gen(function*() {
    const scope = yield* Scope.make()
    process.env["E2E_POSTGRES"] = yield* Scope.provide(migrated, scope)
    const runPromise = Effect.runPromiseWith(yield* Effect.context<never>())
    return () => runPromise(Scope.close(scope, Exit.void))
  }).pipe(Effect.provide(NodeFileSystem.layer), Effect.runPromise)
}

/**
 * A fresh, migrated database per suite, dropped when the suite ends.
 *
 * The first suite of a run migrates a template; the others copy it, which takes some milliseconds. Works the same on the
 * embedded server of the run and on TEST_DATABASE_URL (PostgreSQL 15 or later, a role that may create databases).
 */
import { Context, Effect, Layer, Redacted, Schedule } from "effect"
import { SqlClient } from "effect/sql"
import { randomBytes } from "node:crypto"
import { inject } from "vitest"
import { Database } from "../../src/db/Database.ts"
import { Migrations } from "../../src/db/Migrations.ts"

export class TestDatabase extends Context.Service<TestDatabase, {
  readonly url: Redacted.Redacted
  readonly name: string
}>()("@englog/api/test/TestDatabase") {
  /** Migrated; provides SqlClient and Channels as well. */
  static readonly layer = Layer.suspend(() => connected(Layer.effect(TestDatabase, fresh({ migrated: true }))))
  /** Without tables. */
  static readonly empty = Layer.suspend(() => connected(Layer.effect(TestDatabase, fresh({ migrated: false }))))
}

const connected = <E>(layer: Layer.Layer<TestDatabase, E>) =>
  Layer.unwrap(Effect.map(TestDatabase, ({ url }) => Database.layer({ url, maxConnections: 10 }))).pipe(
    Layer.provideMerge(layer),
    Layer.orDie
  )

const fresh = Effect.fnUntraced(function*(options: { readonly migrated: boolean }) {
  const name = `englog_test_${inject("databaseRun")}_${randomBytes(6).toString("hex")}`
  yield* Effect.acquireRelease(
    options.migrated
      ? Effect.flatMap(template, (from) => copyDatabase(name, from))
      : asAdministrator((sql) => sql`CREATE DATABASE ${sql(name)}`),
    () => Effect.orDie(asAdministrator((sql) => sql`DROP DATABASE IF EXISTS ${sql(name)} WITH (FORCE)`))
  )
  return TestDatabase.of({ url: Redacted.make(urlOf(name)), name })
})

/** Migrated once per run, whichever of the run's processes comes first. */
const template = Effect.suspend(() => {
  const name = `englog_template_${inject("databaseRun")}`
  return asAdministrator((sql) =>
    Effect.scoped(Effect.gen(function*() {
      const connection = yield* sql.reserve
      yield* connection.executeValues("SELECT pg_advisory_lock(7364839202)", [])
      yield* Effect.addFinalizer(() =>
        Effect.orDie(connection.executeValues("SELECT pg_advisory_unlock(7364839202)", []))
      )
      const existing = yield* connection.executeValues("SELECT 1 FROM pg_database WHERE datname = $1", [name])
      if (existing.length > 0) return name
      const draft = `${name}_draft`
      yield* connection.executeValues(`DROP DATABASE IF EXISTS "${draft}" WITH (FORCE)`, [])
      yield* connection.executeValues(`CREATE DATABASE "${draft}"`, [])
      yield* Effect.scoped(Layer.build(Migrations.layer.pipe(
        Layer.provide(Database.layer({ url: Redacted.make(urlOf(draft)), applicationName: "englog-template" }))
      )))
      yield* whenUnused(connection.executeValues(`ALTER DATABASE "${draft}" RENAME TO "${name}"`, []))
      return name
    }))
  )
})

const copyDatabase = (name: string, from: string) =>
  asAdministrator((sql) => whenUnused(sql`CREATE DATABASE ${sql(name)} TEMPLATE ${sql(from)}`))

/** A closed connection's backend lives a few milliseconds longer and blocks RENAME and TEMPLATE for as long. */
const whenUnused = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.retry(effect, { schedule: Schedule.spaced("20 millis"), times: 250 })

const asAdministrator = <A, E>(use: (sql: SqlClient.SqlClient) => Effect.Effect<A, E>) =>
  Effect.scoped(Effect.flatMap(
    Layer.build(Database.layer({ url: Redacted.make(inject("databaseServer")), maxConnections: 2 })),
    (context) => use(Context.get(context, SqlClient.SqlClient))
  ))

const urlOf = (database: string): string => {
  const url = new URL(inject("databaseServer"))
  url.pathname = `/${database}`
  return url.href
}

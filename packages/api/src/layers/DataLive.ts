/**
 * The database, migrated, and the secrets that go with it: embedded in DATA_DIR with secrets of its own, or given.
 */
import { Context, Effect, Layer, type Redacted, Schedule } from "effect"
import { AppConfig } from "../AppConfig.ts"
import { FieldCipher } from "../crypto/FieldCipher.ts"
import { KeyRotation } from "../crypto/KeyRotation.ts"
import { Jwt } from "../auth/Jwt.ts"
import { Database } from "../db/Database.ts"
import { waitedOut } from "../db/Outage.ts"
import { DiskGuard } from "../db/DiskGuard.ts"
import { EmbeddedPostgres } from "../db/EmbeddedPostgres.ts"
import { LocalSecrets } from "../db/LocalSecrets.ts"
import { Migrations } from "../db/Migrations.ts"
import { EngineSql, engineSettings } from "../queue/EngineSql.ts"
import { RunnerSql, runnerSettings } from "../replicas/Replicas.ts"
import { databaseOutage } from "../http/errors/DatabaseOutage.ts"

/** Where the data is and what protects it, wherever it came from. */
class Data extends Context.Service<Data, {
  readonly url: Redacted.Redacted<string>
  readonly jwtSecretKey: Redacted.Redacted<string>
  readonly encryptionKeys: Redacted.Redacted<string>
  /** Where the data lies, if it is ours to look after. */
  readonly folder?: string
}>()("@englog/api/layers/DataLive/Data") {}

const embedded = (dataDir: string) =>
  Layer.effect(
    Data,
    Effect.gen(function*() {
      const { folder, url } = yield* EmbeddedPostgres
      const { encryptionKeys, jwtSecretKey } = yield* LocalSecrets
      return Data.of({ url, jwtSecretKey, encryptionKeys, folder })
    })
  ).pipe(Layer.provide([EmbeddedPostgres.layer({ dataDir }), LocalSecrets.layer({ dataDir })]))

const data = Layer.unwrap(Effect.map(AppConfig, ({ data }) =>
  data._tag === "Embedded" ? embedded(data.dataDir) : Layer.succeed(Data, Data.of(data))))

const database = Layer.unwrap(Effect.map(Data, ({ url }) => Database.layer({ url, maxConnections: POOL, applicationName: "englog-api", tellsOutages: true })))

/** Beside it, so that the many short statements of the engine never wait behind the others. */
const engineDatabase = Layer.unwrap(Effect.map(Data, ({ url }) =>
  Layer.provide(EngineSql.layer, Database.layer({ url, maxConnections: ENGINE_POOL, applicationName: "englog-engine", settings: engineSettings }))))

/** Beside both, so that what the replicas do together never takes a connection from a request. */
const runnerDatabase = Layer.unwrap(Effect.map(Data, ({ url }) =>
  Layer.provide(RunnerSql.layer, Database.layer({ url, maxConnections: RUNNER_POOL, applicationName: "englog-replicas", settings: runnerSettings }))))

/** A migration may take its time, and waits for the one of another process; so may a rotation of keys. */
const patientDatabase = Layer.unwrap(Effect.map(Data, ({ url }) =>
  Database.layer({ url, maxConnections: 2, applicationName: "englog-maintenance", statementTimeout: "Infinity" })))

const diskGuard = Layer.unwrap(Effect.map(Data, ({ folder }) => folder === undefined ? DiskGuard.none : DiskGuard.layer(folder)))

/** Connections of one API process; one of them listens for wake-ups. */
const POOL = 16

/** Submissions, completions and progress have at most five statements under way, claims one. */
const ENGINE_POOL = 8

/** One of them holds the locks. */
const RUNNER_POOL = 3

/** A PostgreSQL that is still starting, as after a reboot of everything, is waited for. */
const migrations = Layer.effectDiscard(
  Migrations.run(Migrations.history).pipe(
    Effect.tapError((error) => Effect.logWarning("the database is not ready yet", error.message)),
    Effect.retry({
      while: (error) => databaseOutage(error.cause) !== undefined,
      schedule: Schedule.spaced("1 second").pipe(Schedule.upTo({ duration: "30 seconds" }))
    })
  )
).pipe(Layer.provide(patientDatabase))

const secrets = Layer.unwrap(Effect.map(Data, ({ encryptionKeys, jwtSecretKey }) =>
  Layer.mergeAll(FieldCipher.layer(encryptionKeys), Jwt.layer(jwtSecretKey))))

/** Nobody reads before what older versions left plain is sealed. */
const sealed = Layer.effectDiscard(Effect.flatMap(KeyRotation, ({ sealPlain }) => waitedOut(sealPlain)))

export const DataLive = sealed.pipe(
  Layer.provideMerge(Layer.provide(KeyRotation.layer, patientDatabase)),
  Layer.provideMerge(secrets),
  Layer.provideMerge(migrations),
  Layer.provideMerge(diskGuard),
  Layer.provideMerge(Layer.mergeAll(database, engineDatabase, runnerDatabase)),
  Layer.provide(data)
)

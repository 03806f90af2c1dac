/**
 * Keeps the embedded database readable when its disk runs full. PostgreSQL refuses a write for which there is no space, but
 * stops altogether when its log cannot grow: so it becomes read-only while there is still space for the log.
 */
import { Context, Effect, Layer, Option, Ref, Schedule } from "effect"
import { SqlClient } from "effect/sql"
import { rm, statfs, writeFile } from "node:fs/promises"
import * as path from "node:path"
import { warnUnlessOutage } from "./Outage.ts"

/** Free bytes below which nothing is written any more, four segments of PostgreSQL's log; and above which it is again. */
const LOW = 64 * 1024 * 1024
const ENOUGH = 96 * 1024 * 1024

/** Kept on the disk, and given up for the few bytes that becoming read-only itself takes. */
const RESERVE = 1024 * 1024

/** What is written in the meantime has to fit into what is reserved. */
const INTERVAL = "500 millis"

export interface DiskSpace {
  /** Bytes, as last seen; undefined before that, and where the system does not tell. */
  readonly free: number | undefined
  /** Nothing is written. */
  readonly low: boolean
}

export class DiskGuard extends Context.Service<DiskGuard, {
  /** None where the database is somebody else's to look after. */
  readonly space: Option.Option<Effect.Effect<DiskSpace>>
}>()("@englog/api/db/DiskGuard") {
  static readonly none: Layer.Layer<DiskGuard> = Layer.succeed(DiskGuard, DiskGuard.of({ space: Option.none() }))

  /** Has looked once when it is built: what starts next may write if there is space. */
  static readonly layer = (folder: string): Layer.Layer<DiskGuard, never, SqlClient.SqlClient> =>
    Layer.effect(
      DiskGuard,
      Effect.gen(function*() {
        const sql = yield* SqlClient.SqlClient
        const reserve = path.join(folder, "reserve")
        const state = yield* Ref.make<DiskSpace>({ free: undefined, low: false })

        // A server that was left read-only by an owner that died is found as such.
        const apply = Effect.fnUntraced(function*(low: boolean) {
          yield* Effect.tryPromise(() => low ? rm(reserve, { force: true }) : writeFile(reserve, Buffer.alloc(RESERVE), { mode: 0o600 }))
          const [setting] = yield* sql<{ on: boolean }>`SELECT current_setting('default_transaction_read_only')::boolean AS on`
          if (setting?.on === low) return
          yield* low
            ? sql`ALTER SYSTEM SET default_transaction_read_only = on`
            : sql`ALTER SYSTEM RESET default_transaction_read_only`
          yield* sql`SELECT pg_reload_conf()`
          yield* low
            ? Effect.logError(`less than ${LOW / 1024 / 1024} MiB are free in ${folder}: nothing is written until there is more; reading goes on`)
            : Effect.logInfo(`there is space again in ${folder}: writing goes on`)
        })

        const look = Effect.gen(function*() {
          const before = yield* Ref.get(state)
          const { bavail, bsize } = yield* Effect.tryPromise(() => statfs(folder))
          const free = bavail * bsize
          const low = free < (before.low ? ENOUGH : LOW)
          yield* Ref.set(state, { free, low })
          if (low !== before.low || before.free === undefined) yield* apply(low)
        }).pipe(
          // It looks again soon, and then also at the setting.
          Effect.catchCause((cause) =>
            Effect.andThen(
              Ref.update(state, (known) => ({ ...known, free: undefined })),
              warnUnlessOutage("could not look after the free space of the database's disk", cause)
            )),
          Effect.annotateLogs({ component: "database", operation: "disk" }),
          Effect.withTracerEnabled(false)
        )

        yield* look
        yield* look.pipe(Effect.repeat(Schedule.spaced(INTERVAL)), Effect.forkScoped)
        return DiskGuard.of({ space: Option.some(Ref.get(state)) })
      })
    )
}

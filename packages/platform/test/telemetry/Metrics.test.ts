import { assert, describe, it } from "@effect/vitest"
import { Metrics } from "@englog/platform/telemetry/Metrics"

const all = Object.values(Metrics)

describe("the registry of metrics", () => {
  it("names each metric once, as Prometheus' conventions do", () => {
    assert.strictEqual(new Set(all.map(({ name }) => name)).size, all.length)
    for (const { name, type, unit } of all) {
      assert.match(name, /^[a-z][a-z0-9_]*$/)
      assert.strictEqual(name.endsWith("_total"), type === "counter", name)
      if (unit !== "count") assert.match(name.replace(/_total$/, ""), new RegExp(`_${unit}$`), name)
    }
  })

  it("says of each what it is, in a sentence of one line", () => {
    for (const { help, name } of all) assert.match(help, /^[A-Z0-9][^\n]{3,200}[^.\n]$/, name)
  })

  it("gives none a label that has as many values as there are people, tasks or workers", () => {
    const unbounded = /user|task_id|entry|worker|session|address|email|url|path|trace|request/
    for (const { labels, name } of all) assert.deepStrictEqual(labels.filter((label) => unbounded.test(label)), [], name)
  })
})

/** The ScaledObject in deploy/keda, held against what KEDA's schema demands (keda.sh/v1alpha1) and against our metrics. */
import { assert, describe, it } from "@effect/vitest"
import { Metrics } from "@englog/platform/telemetry/Metrics"
import { Schema } from "effect"
import * as Yaml from "effect/encoding/Yaml"
import * as fs from "node:fs"
import { fileURLToPath } from "node:url"

const Digits = Schema.String.check(Schema.isPattern(/^\d+$/))

/** Required by the CRD: scaleTargetRef.name, and of each trigger type and metadata, whose values are strings; by the Prometheus scaler: these three. */
const ScaledObject = Schema.Struct({
  apiVersion: Schema.Literal("keda.sh/v1alpha1"),
  kind: Schema.Literal("ScaledObject"),
  metadata: Schema.Struct({ name: Schema.String.check(Schema.isPattern(/^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/)) }),
  spec: Schema.Struct({
    scaleTargetRef: Schema.Struct({ name: Schema.String }),
    minReplicaCount: Schema.Int,
    maxReplicaCount: Schema.Int,
    pollingInterval: Schema.Int,
    cooldownPeriod: Schema.Int,
    triggers: Schema.Array(Schema.Struct({
      type: Schema.Literal("prometheus"),
      metricType: Schema.Literals(["AverageValue", "Value"]),
      metadata: Schema.Struct({ serverAddress: Schema.String, query: Schema.String, threshold: Digits })
    })).check(Schema.isMinLength(1))
  })
})

describe("deploy/keda/scaledobject.yaml", () => {
  const text = fs.readFileSync(fileURLToPath(new URL("../../../deploy/keda/scaledobject.yaml", import.meta.url)), "utf8")
  const decode = Schema.decodeUnknownSync(ScaledObject, { onExcessProperty: "error" })

  it("has what KEDA asks for, and nothing that it does not know", () => {
    const { spec } = decode(Yaml.parse(text))
    assert.isBelow(spec.minReplicaCount, spec.maxReplicaCount)
  })

  it("asks for a metric that the API tells", () => {
    for (const { metadata } of decode(Yaml.parse(text)).spec.triggers) {
      const [name] = /englog_\w+/.exec(metadata.query) ?? []
      assert.strictEqual(name, Metrics.workersSuggested.name)
      assert.include(Metrics.workersSuggested.labels, "queue")
    }
  })
})

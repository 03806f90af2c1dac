/** The files in otel/ are read by programs that are not here; what can be checked without them is checked. */
import { assert, describe, it } from "@effect/vitest"
import { Attribute } from "@englog/platform/telemetry/Attributes"
import { Schema } from "effect"
import * as Yaml from "effect/encoding/Yaml"
import * as fs from "node:fs"
import * as path from "node:path"
import { fileURLToPath } from "node:url"

const folder = fileURLToPath(new URL("../../../otel/", import.meta.url))
const read = (file: string) => fs.readFileSync(path.join(folder, file), "utf8")
const Names = Schema.Array(Schema.String)
const Components = Schema.Record(Schema.String, Schema.Unknown)

const collector = Schema.decodeUnknownSync(Schema.Struct({
  receivers: Schema.Struct({ otlp: Schema.Struct({ protocols: Components }) }),
  processors: Components,
  exporters: Components,
  extensions: Components,
  service: Schema.Struct({
    extensions: Names,
    pipelines: Schema.Record(Schema.String, Schema.Struct({ receivers: Names, processors: Names, exporters: Names }))
  })
}))(Yaml.parse(read("collector.yaml")))

const compose = Schema.decodeUnknownSync(Schema.Struct({
  services: Schema.Record(
    Schema.String,
    Schema.Struct({
      image: Schema.String,
      ports: Names,
      volumes: Schema.optionalKey(Names),
      environment: Schema.optionalKey(Schema.Record(Schema.String, Schema.String))
    })
  )
}))(Yaml.parse(read("docker-compose.yaml")))

describe("the collector's configuration", () => {
  it("uses only components that it defines, and every one of them", () => {
    const pipelines = Object.values(collector.service.pipelines)
    const used = (kind: "receivers" | "processors" | "exporters") => [...new Set(pipelines.flatMap((pipeline) => pipeline[kind]))].sort()
    for (const kind of ["receivers", "processors", "exporters"] as const) {
      assert.deepStrictEqual(used(kind), Object.keys(collector[kind]).sort(), kind)
    }
    assert.deepStrictEqual([...collector.service.extensions], Object.keys(collector.extensions))
  })

  it("takes OTLP over HTTP on the port that the README names", () => {
    assert.include(JSON.stringify(collector.receivers.otlp.protocols["http"]), ":4318")
    assert.include(read("README.md"), "OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318 npm start")
    assert.include(compose.services["collector"]?.ports ?? [], "127.0.0.1:4318:4318")
  })
})

describe("the compose file", () => {
  it("mounts files that exist, pins its images, and listens on this machine only", () => {
    for (const [name, service] of Object.entries(compose.services)) {
      assert.match(service.image, /:\d+\.\d+\.\d+$/, name)
      for (const volume of service.volumes ?? []) {
        assert.isTrue(fs.existsSync(path.join(folder, volume.split(":")[0] ?? "")), volume)
      }
      for (const port of service.ports) assert.match(port, /^127\.0\.0\.1:/, name)
    }
  })

  it("has a service for every address that the others are given", () => {
    const addressed = [
      read("collector.yaml"),
      read("grafana/provisioning/datasources/jaeger.yaml"),
      read("grafana/provisioning/datasources/prometheus.yaml"),
      read("prometheus/prometheus.yaml")
    ].join("\n")
    const hosts = [...addressed.matchAll(/(?:endpoint: |http:\/\/|targets: \[")([a-z]+):\d+/g)].map((match) => match[1] ?? "")
    assert.isNotEmpty(hosts)
    for (const host of hosts) assert.property(compose.services, host)
  })
})

describe("Grafana's provisioning", () => {
  const dashboard = JSON.parse(read("grafana/dashboards/insight-traces.json"))
  const decoded = Schema.decodeUnknownSync(Schema.Struct({
    uid: Schema.String,
    panels: Schema.Array(Schema.Struct({
      title: Schema.String,
      datasource: Schema.Struct({ uid: Schema.String }),
      targets: Schema.Array(Schema.Struct({ service: Schema.String, operation: Schema.String }))
    }))
  }))(dashboard)

  it("names one data source, which every panel of the dashboard asks", () => {
    const { datasources } = Schema.decodeUnknownSync(Schema.Struct({ datasources: Schema.Array(Schema.Struct({ uid: Schema.String })) }))(
      Yaml.parse(read("grafana/provisioning/datasources/jaeger.yaml"))
    )
    assert.deepStrictEqual([...new Set(decoded.panels.map((panel) => panel.datasource.uid))], datasources.map(({ uid }) => uid))
  })

  it("reads dashboards from where the compose file mounts them, and starts with one of them", () => {
    const grafana = compose.services["grafana"]
    const mounted = grafana?.volumes?.find((volume) => volume.startsWith("./grafana/dashboards:"))?.split(":")[1] ?? ""
    assert.include(read("grafana/provisioning/dashboards/englog.yaml"), `path: ${mounted}`)
    assert.strictEqual(grafana?.environment?.["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"], `${mounted}/overview.json`)
  })

  it("looks for spans that the trace test sees", () => {
    const seen = fs.readFileSync(fileURLToPath(new URL("./trace.test.ts", import.meta.url)), "utf8")
    const operations = decoded.panels.flatMap((panel) => panel.targets.map((target) => target.operation))
    for (const operation of operations.filter((name) => !name.endsWith("/reports"))) assert.include(seen, operation)
  })
})

describe("otel/README.md", () => {
  it("links the registry of attributes where it is", () => {
    const link = /\((\.\.\/[^)]*Attributes\.ts)\)/.exec(read("README.md"))?.[1] ?? ""
    assert.isTrue(fs.existsSync(path.join(folder, link)), link)
    assert.strictEqual(Attribute.taskId, "englog.task.id")
  })
})

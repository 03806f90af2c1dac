/**
 * `npm run bench [-- --quick] [-- --json]`: ours beside graphile-worker, pg-boss, BullMQ and a loop of SQL. `--json`: the last line alone.
 * To look closer: `--only METRIC,…`, `--systems NAME,…`, `--runs N`, `--profile FOLDER` (CPU profiles of ours).
 */
import { NodeRuntime, NodeServices } from "@effect/platform-node"
import { Effect, Layer } from "effect"
import { parseArgs } from "node:util"
import { BenchPostgres } from "./comparison/BenchPostgres.ts"
import { planOf } from "./comparison/Plans.ts"
import { compare } from "./comparison/Comparison.ts"
import { ratiosOf } from "./comparison/Ratios.ts"
import { jsonOf, tableOf } from "./comparison/Report.ts"
import { note } from "./Figures.ts"

const { values } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
    only: { type: "string" },
    systems: { type: "string" },
    runs: { type: "string" },
    profile: { type: "string" }
  }
})

const redisUrl = process.env["REDIS_URL"]

NodeRuntime.runMain(
  Effect.gen(function*() {
    if (redisUrl === undefined) yield* note("SKIPPED: BullMQ on Redis, because REDIS_URL is not set")
    const plan = yield* planOf({ ...values, redisUrl })
    const medians = yield* compare(plan)
    const peers = plan.systems.filter(({ kind, name }) => kind === "peer" && name !== "bullmq-redis").map(({ name }) => name)
    const { version } = yield* BenchPostgres
    const report = { runs: plan.runs, postgres: version, medians, ratios: ratiosOf(medians, peers), systems: plan.systems }
    if (!values.json) process.stdout.write(`${tableOf(report)}\n`)
    process.stdout.write(`${jsonOf(report)}\n`)
  }).pipe(Effect.scoped, Effect.provide(BenchPostgres.layer.pipe(Layer.provideMerge(NodeServices.layer))))
)

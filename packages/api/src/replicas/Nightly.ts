/** Work of every night, done by one replica; a night on which none ran is made up for within a day. */
import { Cron, Layer } from "effect"
import { ClusterCron } from "effect/cluster"
import { Jobs, type NightlyJob } from "./Jobs.ts"

/** Has each job run at its minute of the night. */
export const nightly = (jobs: ReadonlyArray<Pick<NightlyJob<never>, "minute" | "name">>) =>
  Layer.mergeAll(Layer.empty, ...jobs.map(({ minute, name }) =>
    minute === "quarterly"
      // A later one does what this one would have done.
      ? ClusterCron.make({ name, cron: Cron.parseUnsafe("*/15 * * * *", "UTC"), execute: execute(name), skipIfOlderThan: "15 minutes" })
      : ClusterCron.make({ name, cron: Cron.parseUnsafe(`${minute} 3 * * *`, "UTC"), execute: execute(name) })))

const execute = (name: string) => Jobs.use(({ runAtNight }) => runAtNight(name))

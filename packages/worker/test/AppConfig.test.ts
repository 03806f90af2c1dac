import { assert, describe, it } from "@effect/vitest"
import { AppConfig } from "@englog/worker/AppConfig"
import { ConfigProvider, Effect } from "effect"
import { inspect } from "node:util"

const configured = (env: Record<string, string>) =>
  Effect.provide(AppConfig, AppConfig.layer).pipe(
    Effect.provideService(ConfigProvider.ConfigProvider, ConfigProvider.fromEnv({ env }))
  )

describe("the worker's configuration", () => {
  it.effect("can be printed without telling a secret", () => Effect.gen(function*() {
    const config = yield* configured({ OPENAI_API_KEY: "canaryopenai", WORKER_ENROLLMENT_TOKEN: "canaryenrollment", METRICS_TOKEN: "canarymetrics" })
    const printed = `${inspect(config, { depth: 10 })} ${JSON.stringify(config)}`
    assert.notMatch(printed, /canary/)
    assert.include(printed, "50051", "it was printed at all")
  }))

  it.effect("takes no address that holds a password, for addresses are told in logs", () => Effect.gen(function*() {
    for (const name of ["OLLAMA_URL", "OPENAI_BASE_URL", "OTEL_EXPORTER_OTLP_ENDPOINT"]) {
      const error = yield* Effect.flip(configured({ [name]: "http://ada:canary@127.0.0.1:11434" }))
      assert.strictEqual(error.message, `${name} must not hold a user name or password: addresses are told in logs`)
    }
  }))
})

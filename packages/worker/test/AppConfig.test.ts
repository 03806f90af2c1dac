import { assert, describe, it } from "@effect/vitest"
import { AppConfig } from "@englog/worker/AppConfig"
import { ConfigProvider, Effect, Option, Redacted } from "effect"
import { inspect } from "node:util"

const configured = (env: Record<string, string>) =>
  Effect.provide(AppConfig, AppConfig.layer).pipe(
    Effect.provideService(ConfigProvider.ConfigProvider, ConfigProvider.fromEnv({ env }))
  )

describe("the worker's configuration", () => {
  it.effect("can be printed without telling a secret", () => Effect.gen(function*() {
    const config = yield* configured({ OPENAI_API_KEY: "canaryopenai", WORKER_ENROLLMENT_TOKEN: "canaryenrollment", METRICS_TOKEN: "canarymetrics", SMTP_URL: "smtp://u:canarysmtp@mail.example.com", MAIL_FROM: "a@example.com" })
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

  it.effect("has no mail server unless it is told of one", () => Effect.gen(function*() {
    assert.isTrue(Option.isNone((yield* configured({})).mail))
    const mail = Option.getOrThrow((yield* configured({ SMTP_URL: "smtp://ada:p%40ss@mail.example.com", MAIL_FROM: "EngLog <englog@example.com>" })).mail)
    assert.deepInclude(mail, { host: "mail.example.com", port: 587, tls: "starttls", from: { name: "EngLog", address: "englog@example.com" }, maxConnections: 5, timeout: 60_000 })
    assert.strictEqual(Option.getOrThrow(mail.credentials).user, "ada")
    assert.strictEqual(Redacted.value(Option.getOrThrow(mail.credentials).password), "p@ss")
    const implicit = Option.getOrThrow((yield* configured({ SMTP_URL: "smtps://mail.example.com", MAIL_FROM: "englog@example.com" })).mail)
    assert.deepInclude(implicit, { port: 465, tls: "implicit", from: { name: "EngLog", address: "englog@example.com" } })
    const local = Option.getOrThrow((yield* configured({ SMTP_URL: "smtp://127.0.0.1:2525", SMTP_PLAIN: "true", MAIL_FROM: "englog@example.com" })).mail)
    assert.deepInclude(local, { port: 2525, tls: "none" })
  }))

  it.effect("sends no mail or password in the clear to another machine, and none without a sender", () => Effect.gen(function*() {
    const refusal = (env: Record<string, string>) => Effect.map(Effect.flip(configured(env)), ({ message }) => message)
    const from = { MAIL_FROM: "englog@example.com" }
    for (const SMTP_URL of ["smtp://mail.example.com:25", "smtp://localhost.example.com", "smtps://127.0.0.1"]) {
      assert.match(yield* refusal({ SMTP_URL, SMTP_PLAIN: "true", ...from }), /^SMTP_PLAIN may be true only where SMTP_URL is smtp:\/\/ to this machine/)
    }
    for (const SMTP_URL of ["mail.example.com", "http://mail.example.com", "smtp://mail.example.com/path", "smtp://"]) {
      assert.match(yield* refusal({ SMTP_URL, ...from }), /^SMTP_URL must be a URL such as smtp:/)
    }
    for (const MAIL_FROM of ["", "EngLog", "a@b\r\nBcc: c@d", "<>"]) {
      assert.match(yield* refusal({ SMTP_URL: "smtp://mail.example.com", MAIL_FROM }), /^MAIL_FROM must be set when SMTP_URL is/)
    }
    const paths = ["bounces@example.com", "bounces@{id}.example.com", "b+{id}-{id}@example.com", "{id}", "b {id}@example.com", `${"b".repeat(29)}{id}@example.com`]
    for (const MAIL_RETURN_PATH of paths) {
      assert.match(yield* refusal({ SMTP_URL: "smtp://mail.example.com", ...from, MAIL_RETURN_PATH }), /^MAIL_RETURN_PATH must be an address with \{id\} once/, MAIL_RETURN_PATH)
    }
    for (const MAIL_RETURN_PATH of ["bounces+{id}@example.com", "{id}@bounces.example.com", `${"b".repeat(28)}{id}@example.com`]) {
      const { mail } = yield* configured({ SMTP_URL: "smtp://mail.example.com", ...from, MAIL_RETURN_PATH })
      assert.deepStrictEqual(Option.getOrThrow(mail).returnPath, Option.some(MAIL_RETURN_PATH))
    }
  }))

  it.effect("lets no git repository be imported unless it is told of absolute folders", () => Effect.gen(function*() {
    assert.deepStrictEqual((yield* configured({})).gitRoots, [])
    assert.deepStrictEqual((yield* configured({ IMPORT_GIT_ROOTS: "/srv/git, /home/ada/src" })).gitRoots, ["/srv/git", "/home/ada/src"])
    const { message } = yield* Effect.flip(configured({ IMPORT_GIT_ROOTS: "/srv/git,src" }))
    assert.strictEqual(message, "IMPORT_GIT_ROOTS must be a comma-separated list of absolute paths of folders")
  }))
})

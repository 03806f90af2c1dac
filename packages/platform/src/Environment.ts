/**
 * Readers of environment variables, for the AppConfig of each process. An empty variable counts as unset; a wrong value
 * stops the start with a sentence that names the variable and its rule.
 */
import { Config, Duration, Effect, Option, type Redacted, Runtime, Schema } from "effect"

export class ConfigurationError extends Schema.TaggedError<ConfigurationError>()("ConfigurationError", {
  variable: Schema.String,
  message: Schema.String
}) {
  override readonly [Runtime.errorExitCode] = 1
}

/** The sentence is "VARIABLE rule". */
export const fail = (name: string, rule: string) => new ConfigurationError({ variable: name, message: `${name} ${rule}` })

/** Reads one variable; `rule` completes the sentence "VARIABLE …" that the user sees where the value breaks it. */
export const variable = <A>(name: string, rule: string, config: Config.Config<A>) =>
  Effect.mapError(config, () => fail(name, rule))

export const text = (name: string) => variable(name, "must be text", Config.option(Config.NonEmptyString(name)))

export const textOr = (name: string, otherwise: string) => Effect.map(text(name), Option.getOrElse(() => otherwise))

export const secret = (name: string) => variable(name, "must be text", Config.option(Config.Redacted(name)))

export const flag = (name: string, otherwise: boolean) =>
  variable(name, "must be true or false", Config.Boolean(name).pipe(Config.withDefault(otherwise)))

/** Comma-separated; white space around items does not count. */
export const list = (value: string): ReadonlyArray<string> =>
  value.split(",").map((item) => item.trim()).filter((item) => item !== "")

export const port = (name: string) => variable(name, "must be a port from 1 to 65535", Config.option(Config.Port(name)))

export const wholeNumber = (name: string, minimum: number, maximum: number, otherwise: number) =>
  variable(
    name,
    `must be a whole number from ${minimum} to ${maximum}`,
    Config.schema(
      Schema.FiniteFromString.pipe(Schema.check(Schema.isInt(), Schema.isBetween({ minimum, maximum }))),
      name
    ).pipe(Config.withDefault(otherwise))
  )

export const duration = (name: string, otherwise: Duration.Duration) =>
  Effect.gen(function*() {
    const given = yield* text(name)
    if (Option.isNone(given)) return otherwise
    return parseDuration(given.value) ?? (yield* fail(name, "must be a duration such as 500ms, 30s or 2m"))
  })

/** `500ms`, `30s`, `2m`, `1h`, or a bare number of seconds; undefined where it is nothing of that, or zero. */
export const parseDuration = (text: string): Duration.Duration | undefined => {
  const [, amount, unit = "s"] = /^(\d{1,9})(ms|s|m|h)?$/.exec(text) ?? []
  const millis = Number(amount) * (unitMillis.get(unit) ?? 0)
  return amount === undefined || millis <= 0 ? undefined : Duration.millis(millis)
}

const unitMillis = new Map([["ms", 1], ["s", 1_000], ["m", 60_000], ["h", 3_600_000]])

/** Without a slash at its end. Addresses are told in logs and health, so that none may hold credentials. */
export const httpUrl = (name: string) =>
  variable(name, "must be a URL such as http://localhost:11434", Config.option(Config.URL(name))).pipe(
    Effect.filterOrFail(
      Option.match({ onNone: () => true, onSome: (url) => url.protocol === "http:" || url.protocol === "https:" }),
      () => fail(name, "must start with http:// or https://")
    ),
    Effect.filterOrFail(
      Option.match({ onNone: () => true, onSome: (url) => url.username === "" && url.password === "" }),
      () => fail(name, "must not hold a user name or password: addresses are told in logs")
    ),
    Effect.map(Option.map((url) => url.href.replace(/\/+$/, "")))
  )

/** The gRPC certificate files of either side. */
export const tlsFiles = Effect.gen(function*() {
  return {
    certFile: yield* text("TLS_CERT_FILE"),
    keyFile: yield* text("TLS_KEY_FILE"),
    caFile: yield* text("TLS_CA_FILE"),
    serverName: yield* text("TLS_SERVER_NAME")
  }
})

export const LogLevel = Schema.Literals(["trace", "debug", "info", "warn", "error", "fatal", "none"])
export type LogLevel = typeof LogLevel.Type

export const LogFormat = Schema.Literals(["json", "pretty"])
export type LogFormat = typeof LogFormat.Type

/** The names of the OpenTelemetry specification. */
export const Sampler = Schema.Literals([
  "always_on",
  "always_off",
  "traceidratio",
  "parentbased_always_on",
  "parentbased_always_off",
  "parentbased_traceidratio"
])

export interface SamplerConfig {
  readonly name: typeof Sampler.Type
  /** 0..1, for the samplers by ratio. */
  readonly ratio: number
}

export interface TelemetryConfig {
  /** Base URL of an OTLP/HTTP receiver, e.g. `http://127.0.0.1:4318`. */
  readonly endpoint: Option.Option<string>
  readonly sampler: SamplerConfig
  /** Who sends it may read /metrics from elsewhere; without one only this machine may. */
  readonly metricsToken: Option.Option<Redacted.Redacted<string>>
  readonly logLevel: LogLevel
  readonly logFormat: LogFormat
}

const oneOf = <const Name extends string>(name: string, literals: Schema.Literals<ReadonlyArray<Name>>, otherwise: Name) =>
  variable(name, `must be one of ${literals.literals.join(", ")}`, Config.schema(literals, name).pipe(Config.withDefault(otherwise)))

const sampler = Effect.gen(function*() {
  const ratio = Config.schema(Schema.FiniteFromString.pipe(Schema.check(Schema.isBetween({ minimum: 0, maximum: 1 }))), "OTEL_TRACES_SAMPLER_ARG")
  const config: SamplerConfig = {
    name: yield* oneOf("OTEL_TRACES_SAMPLER", Sampler, "parentbased_always_on"),
    ratio: yield* variable("OTEL_TRACES_SAMPLER_ARG", "must be a number from 0 to 1", Config.withDefault(ratio, 1))
  }
  return config
})

/** What every process takes for its telemetry. A terminal gets readable logs, everything else JSON. */
export const telemetry = Effect.gen(function*() {
  const level = (yield* textOr("LOG_LEVEL", "info")).toLowerCase()
  const format = yield* oneOf("LOG_FORMAT", Schema.Literals(["auto", ...LogFormat.literals]), "auto")
  const config: TelemetryConfig = {
    endpoint: yield* httpUrl("OTEL_EXPORTER_OTLP_ENDPOINT"),
    sampler: yield* sampler,
    metricsToken: yield* secret("METRICS_TOKEN"),
    logLevel: yield* Schema.decodeUnknownEffect(LogLevel)(level === "warning" ? "warn" : level).pipe(
      Effect.mapError(() => fail("LOG_LEVEL", `must be one of ${LogLevel.literals.join(", ")}`))
    ),
    logFormat: format !== "auto" ? format : process.stdout.isTTY ? "pretty" : "json"
  }
  return config
})

/** For processes of tests and tools: nothing leaves them. */
export const quietTelemetry: TelemetryConfig = {
  endpoint: Option.none(),
  sampler: { name: "parentbased_always_on", ratio: 1 },
  metricsToken: Option.none(),
  logLevel: "warn",
  logFormat: "json"
}

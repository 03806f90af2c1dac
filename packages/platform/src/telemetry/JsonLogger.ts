/**
 * Logs as one JSON object per line, with the fields of seed 000 ("Logs Estruturados"): timestamp, level, then what the code
 * annotated (component, operation, ids …), the message, and the trace that the line belongs to.
 */
import { Cause, Console, Formatter, Logger, References } from "effect"
import { describeCause, describeError } from "./ErrorText.ts"

/**
 * Writes to standard output, the lines of one turn of the event loop by one call: under load, a call for each line costs a
 * tenth of the processor.
 */
export const jsonLogger = Logger.make<unknown, void>((options) => {
  const { span } = options.fiber.cache
  const line = Formatter.formatJson({
    timestamp: options.date.toISOString(),
    level: options.logLevel.toUpperCase(),
    ...options.fiber.getRef(References.CurrentLogAnnotations),
    message: partsOf(options.message).join(" "),
    ...(span === undefined ? {} : { trace_id: span.traceId, span_id: span.spanId }),
    ...(options.cause.reasons.length === 0 ? {} : { cause: describeCause(options.cause) })
  })
  write(line, options.fiber.getRef(Console.Console))
})

const waiting = new Map<Console.Console, Array<string>>()

const write = (line: string, console: Console.Console): void => {
  const lines = waiting.get(console)
  if (lines !== undefined) return void lines.push(line)
  waiting.set(console, [line])
  setImmediate(flush)
}

const flush = (): void => {
  const ready = [...waiting]
  waiting.clear()
  for (const [console, lines] of ready) console.log(lines.join("\n"))
}

/** What a process that ends by itself still had to say. */
process.on("exit", flush)

const partsOf = (message: unknown): ReadonlyArray<string> =>
  [message].flat().map((part) => typeof part === "string" ? part : part instanceof Error ? describeError(part) : Formatter.formatJson(part))

const pretty = Logger.consolePretty()

/** For people at a terminal; says of errors no more than the other. */
export const prettyLogger = Logger.make<unknown, void>((options) => {
  const cause = options.cause.reasons.length === 0 ? [] : [describeCause(options.cause)]
  pretty.log({ ...options, message: [...partsOf(options.message), ...cause], cause: Cause.empty })
})

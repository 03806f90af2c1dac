/**
 * Logs as one JSON object per line, with the fields of seed 000 ("Logs Estruturados"): timestamp, level, then what the code
 * annotated (component, operation, ids …), the message, and the trace that the line belongs to.
 */
import { Cause, Formatter, Logger, References } from "effect"

/** Writes to standard output. */
export const jsonLogger = Logger.withConsoleLog(Logger.make<unknown, string>((options) => {
  const { span } = options.fiber.cache
  return Formatter.formatJson({
    timestamp: options.date.toISOString(),
    level: options.logLevel.toUpperCase(),
    ...options.fiber.getRef(References.CurrentLogAnnotations),
    message: [options.message].flat().map(toText).join(" "),
    ...(span === undefined ? {} : { trace_id: span.traceId, span_id: span.spanId }),
    ...(options.cause.reasons.length === 0 ? {} : { cause: Cause.pretty(options.cause) })
  })
}))

const toText = (part: unknown): string =>
  typeof part === "string" ? part : part instanceof Error ? part.message : Formatter.formatJson(part)

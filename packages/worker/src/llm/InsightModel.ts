/**
 * A language model, seen as what it is here: something that turns one prompt into text, slowly and not always. Providers
 * implement `InsightModel`; retries, circuit breaker, deadlines and fallbacks are `InsightWriter`'s.
 */
import { type Effect, Schema } from "effect"

export interface ModelRequest {
  readonly system: string
  readonly user: string
  /** JSON Schema of the answer, for providers that can force it. */
  readonly format: object
}

export interface ModelReply {
  readonly text: string
  /** False where the model stopped for another reason than being done: then the text is cut off. */
  readonly complete: boolean
  readonly inputTokens: number | undefined
  readonly outputTokens: number | undefined
  /** What the provider says it took to load the model before it answered; only Ollama says it. */
  readonly loadSeconds?: number
}

/**
 * Timeout, Unreachable, ServerError (5xx, 429): the other side may do better in a moment. Garbage: the answer does not fit
 * the schema; a model may do better the next time. ModelMissing, Refused (other 4xx): trying again changes nothing.
 */
export class ModelError extends Schema.TaggedError<ModelError>()("ModelError", {
  reason: Schema.Literals(["Timeout", "Unreachable", "ServerError", "Garbage", "ModelMissing", "Refused"]),
  /** Shown to people as the reason of a fallback: no addresses with credentials, no prompt, no answer. */
  message: Schema.String,
  cause: Schema.optionalKey(Schema.Defect())
}) {
  get isTransient(): boolean {
    return this.reason !== "ModelMissing" && this.reason !== "Refused"
  }
}

export interface InsightModel {
  /** `gen_ai.provider.name` of the OpenTelemetry conventions. */
  readonly system: "ollama" | "openai"
  readonly model: string
  /** One call. Interruption aborts the HTTP request. */
  readonly call: (request: ModelRequest) => Effect.Effect<ModelReply, ModelError>
  /** Whether something answers at its address, and knows the model where that can be asked cheaply. */
  readonly check: Effect.Effect<void, ModelError>
}

/** The error of an HTTP status of 400 and above. */
export const errorOfStatus = (who: string, model: string, status: number, cause: unknown): ModelError => {
  if (status === 404) return new ModelError({ reason: "ModelMissing", message: `${who} has no model ${model}`, cause })
  if (status >= 500 || status === 429 || status === 408) {
    return new ModelError({ reason: "ServerError", message: `${who} answered with status ${status}`, cause })
  }
  return new ModelError({ reason: "Refused", message: `${who} refused the request with status ${status}`, cause })
}

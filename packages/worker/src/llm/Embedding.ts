/** A provider's side of embeddings: one call, for as many texts as are given. */
import type { Effect } from "effect"
import type { ModelError } from "./InsightModel.ts"

export type Vectors = ReadonlyArray<ReadonlyArray<number>>

export type EmbedCall = (texts: ReadonlyArray<string>) => Effect.Effect<Vectors, ModelError>

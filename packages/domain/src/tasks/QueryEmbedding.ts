/**
 * QUERY_EMBEDDING: the vector of what somebody searches for, by the model that workers use for documents. Somebody waits for it,
 * so it goes first, and is not tried again.
 */
import { Schema } from "effect"
import { MAX_DIMENSION, ModelName } from "./DocumentProcessing.ts"
import * as TaskKind from "./TaskKind.ts"
import { priorityOf } from "./TaskPolicy.ts"

export const QueryEmbedding = TaskKind.make({
  kind: "QUERY_EMBEDDING",
  payload: Schema.Struct({}),
  result: Schema.Struct({
    model: ModelName,
    vector: Schema.Array(Schema.Finite).check(Schema.isBetweenLength(1, MAX_DIMENSION))
  }),
  policy: {
    queue: "default",
    priority: priorityOf("critical"),
    attempt_timeout: 10_000,
    deadline: 10_000,
    retry: { max_retries: 0, base_delay: 1_000, backoff_factor: 2, max_delay: 1_000 },
    result_ttl: 0
  },
  submittedBy: "/v1/knowledge/search"
})

/** What its holder is told. */
export const SearchedQuery = Schema.Struct({ query: Schema.String })

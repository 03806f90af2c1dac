/** Handles QUERY_EMBEDDING: the vector of a query, by the model of documents. */
import { QueryEmbedding, SearchedQuery } from "@englog/domain/tasks/QueryEmbedding"
import { Effect, Schema } from "effect"
import { EmbeddingModel } from "../llm/EmbeddingModel.ts"
import * as TaskHandler from "./TaskHandler.ts"

const decode = Schema.decodeEffect(Schema.fromJsonString(SearchedQuery))

export const queryEmbedding = Effect.map(EmbeddingModel, (model) =>
  TaskHandler.make(QueryEmbedding, (_payload, context) =>
    Effect.gen(function*() {
      const { query } = yield* Effect.flatMap(context.data, decode).pipe(Effect.catchTag("SchemaError", (cause) => Effect.fail(TaskHandler.notUnderstood(cause))))
      const [vector = []] = yield* model.embed([query]).pipe(
        Effect.mapError((error) => new TaskHandler.TaskFailure({ message: error.message, cause: error }))
      )
      return { model: model.name, vector }
    })))

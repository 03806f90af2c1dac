import * as TaskKind from "@englog/domain/tasks/TaskKind"
import { backgroundPolicy } from "@englog/domain/tasks/TaskPolicy"
import { Schema } from "effect"

export const WordCount = TaskKind.make({
  kind: "WORD_COUNT",
  payload: Schema.Struct({ text: Schema.String }),
  result: Schema.Struct({ words: Schema.Int }),
  policy: backgroundPolicy
})

/** The program of the README ("A handler of your own"), which a test compares and runs. */
import { runProcess } from "@englog/platform/runProcess"
import { AppConfig } from "@englog/worker/AppConfig"
import * as TaskHandler from "@englog/worker/handlers/TaskHandler"
import * as Worker from "@englog/worker/Worker"
import { Effect, Layer, Schema } from "effect"

const wordCount = TaskHandler.make(
  {
    kind: "WORD_COUNT",
    payload: Schema.Struct({ text: Schema.String }),
    result: Schema.Struct({ words: Schema.Int })
  },
  ({ text }, context) =>
    Effect.gen(function*() {
      yield* context.progress(50, "Counting")
      const words = text.split(/\s+/).filter((word) => word !== "").length
      return words > 0 ? { words } : yield* new TaskHandler.TaskFailure({ message: "text: there is nothing to count" })
    })
)

runProcess(Worker.layer([...Worker.builtIn, Effect.succeed(wordCount)]).pipe(Layer.provide(AppConfig.layer)))

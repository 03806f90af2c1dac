import { runProcess } from "@englog/platform/runProcess"
import { AppConfig } from "@englog/worker/AppConfig"
import * as TaskHandler from "@englog/worker/handlers/TaskHandler"
import * as Worker from "@englog/worker/Worker"
import { Effect, Layer } from "effect"
import { WordCount } from "./WordCount.ts"

const wordCount = TaskHandler.make(WordCount, ({ text }, context) =>
  Effect.as(context.progress(50, "Counting"), { words: text.split(/\s+/).filter((word) => word !== "").length }))

runProcess(Worker.layer([...Worker.builtIn, Effect.succeed(wordCount)]).pipe(Layer.provide(AppConfig.layer)))

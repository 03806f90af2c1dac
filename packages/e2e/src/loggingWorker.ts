/** A worker program with a handler for LoggedWork. WORK_LOG names its file. */
import { runProcess } from "@englog/platform/runProcess"
import { AppConfig } from "@englog/worker/AppConfig"
import * as TaskHandler from "@englog/worker/handlers/TaskHandler"
import * as Worker from "@englog/worker/Worker"
import { Config, Effect, Layer } from "effect"
import { LoggedWork, write, type WorkLine } from "./LoggedWork.ts"

const handler = Effect.map(Effect.orDie(Config.String("WORK_LOG")), (file) =>
  TaskHandler.make(LoggedWork, ({ milliseconds }, _, { attempt, task_id }) => {
    const say = (what: WorkLine["what"]) => Effect.sync(() => write(file, { task_id, attempt, what }))
    return say("started").pipe(
      Effect.andThen(Effect.sleep(milliseconds)),
      Effect.andThen(say("finished")),
      Effect.onInterrupt(() => say("interrupted")),
      Effect.as({ attempt })
    )
  }))

runProcess(Worker.layer([handler]).pipe(Layer.provide(AppConfig.layer)))

/** The worker as a process. */
import { runProcess } from "@englog/platform/runProcess"
import { workerProcess } from "./WorkerProcess.ts"

runProcess(workerProcess)

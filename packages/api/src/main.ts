/** The API server as a process. */
import { runProcess } from "@englog/platform/runProcess"
import { apiProcess } from "./ApiProcess.ts"

runProcess(apiProcess)

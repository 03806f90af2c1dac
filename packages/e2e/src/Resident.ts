/** Resident memory of a process, as Linux tells it. */
import { Effect, FileSystem } from "effect"

const mebibytes = (pid: number, field: "VmRSS" | "VmHWM") =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const status = yield* fs.readFileString(`/proc/${pid}/status`)
    const kibibytes = Number(new RegExp(`^${field}:\\s+(\\d+) kB`, "m").exec(status)?.[1])
    return Math.round(kibibytes / 102.4) / 10
  })

export const residentMiB = (pid: number) => mebibytes(pid, "VmRSS")

/** The most it has ever been. */
export const peakMiB = (pid: number) => mebibytes(pid, "VmHWM")

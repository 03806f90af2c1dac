/** CPU time of processes, by proc(5): user and system, with that of the children that have ended. */
import * as fs from "node:fs"

/** Of `/proc/<pid>/stat`, in seconds: USER_HZ is 100 on every Linux. */
const TICKS_PER_SECOND = 100

/** Seconds. A process that has gone counts for nothing: its parent has its time. */
export const cpuSeconds = (pids: ReadonlyArray<number>): number => pids.reduce((sum, pid) => sum + secondsOf(pid), 0)

const secondsOf = (pid: number): number => {
  if (!fs.existsSync(`/proc/${pid}/stat`)) return 0
  // After the name, which may hold anything: state is field 3, utime to cstime are fields 14 to 17.
  const fields = fs.readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1)?.split(" ") ?? []
  return fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0) / TICKS_PER_SECOND
}

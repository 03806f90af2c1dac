/**
 * A wall clock that is wrong in this process: to be imported before everything else. CHAOS_CLOCK names a file that says by
 * how many milliseconds; SIGUSR2 has it read again. Timers and the monotonic clock go on as they are, as on a real machine
 * whose clock was set.
 */
import { readFileSync } from "node:fs"

const RealDate = Date
const file = process.env["CHAOS_CLOCK"]

const read = (): number => {
  if (file === undefined) return 0
  try {
    return Number(readFileSync(file, "utf8")) || 0
  } catch {
    return 0
  }
}

let shift = read()
process.on("SIGUSR2", () => {
  shift = read()
})

globalThis.Date = new Proxy(RealDate, {
  construct: (target, values, newTarget) => Reflect.construct(target, values.length === 0 ? [target.now() + shift] : values, newTarget),
  apply: (target) => new target(target.now() + shift).toString(),
  get: (target, name, receiver) => name === "now" ? () => target.now() + shift : Reflect.get(target, name, receiver)
})

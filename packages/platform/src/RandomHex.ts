/** Random bytes as hexadecimal text, from a supply that is filled in one go: asking for each by itself costs more than the bytes. */
import { randomFillSync } from "node:crypto"

const supply = Buffer.alloc(4_096)
let used = supply.length

/** From the system's generator, fit for what nobody may guess; at most 4,096 bytes. */
export const randomHex = (bytes: number): string => {
  if (used + bytes > supply.length) {
    randomFillSync(supply)
    used = 0
  }
  used += bytes
  return supply.toString("hex", used - bytes, used)
}

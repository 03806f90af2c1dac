/** Bytes as they arrive, cut into the parts in which they are stored; no more than two parts of them are held. */
import { PART_BYTES, type UploadPart } from "./UploadRepo.ts"

export class ArrivingParts {
  /** Bytes in all that have arrived. */
  size: number
  #place: number
  #pending: Array<Uint8Array>
  #length: number

  /** `last`: what is stored of a part that is not whole; empty where all are. */
  constructor(stored: number, last: Uint8Array) {
    this.size = stored
    this.#place = Math.floor(stored / PART_BYTES)
    this.#pending = [last]
    this.#length = last.length
  }

  add(bytes: Uint8Array): void {
    this.#pending.push(bytes)
    this.#length += bytes.length
    this.size += bytes.length
  }

  /** The next whole part. */
  take(): UploadPart | undefined {
    if (this.#length < PART_BYTES) return undefined
    const all = Buffer.concat(this.#pending)
    this.#pending = [all.subarray(PART_BYTES)]
    this.#length -= PART_BYTES
    return { place: this.#place++, content: all.subarray(0, PART_BYTES) }
  }

  /** What is no whole part yet. */
  rest(): UploadPart | undefined {
    return this.#length === 0 ? undefined : { place: this.#place, content: Buffer.concat(this.#pending) }
  }
}

/**
 * Ids of a document's chunks: UUIDs of version 8 (RFC 9562), keyed digests of model, headings and text. A chunk has the same one in
 * every revision and wherever it stands; equal ones are told apart by their order. Who has not the key learns nothing from them.
 */
import { ChunkId } from "@englog/domain/Ids"
import { createHmac } from "node:crypto"

/** Of the next chunk, in their order. `key` is Base64. */
export const chunkIds = (key: string, model: string) => {
  const secret = Buffer.from(key, "base64")
  const seen = new Map<string, number>()
  const digest = (text: string) => createHmac("sha256", secret).update(text, "utf8")
  return (heading_path: ReadonlyArray<string>, text: string): ChunkId => {
    const content = JSON.stringify([heading_path, text])
    const name = digest(content).digest("base64")
    const times = seen.get(name) ?? 0
    seen.set(name, times + 1)
    return uuid(digest(`${model}\n${times} ${content}`).digest("hex"))
  }
}

const uuid = (hex: string): ChunkId =>
  ChunkId.make(`${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`)

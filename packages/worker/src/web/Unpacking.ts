/** Content encodings, unpacked up to a limit: a few kilobytes may stand for gigabytes. */
import { Effect } from "effect"
import { brotliDecompress, gunzip, inflate } from "node:zlib"
import { WebFailure } from "./WebFailure.ts"

const decompressors = new Map<string, typeof gunzip>([["br", brotliDecompress], ["gzip", gunzip], ["x-gzip", gunzip], ["deflate", inflate]])

/** Of a body that unpacks to more, nothing is kept. What is in an encoding that we did not ask for and do not know fails. */
export const unpack = (bytes: Uint8Array, encoding: string, maxOutputLength: number): Effect.Effect<{ readonly bytes: Uint8Array; readonly cut: boolean }, WebFailure> => {
  const name = encoding.trim().toLowerCase()
  if (name === "identity" || name === "" || bytes.length === 0) return Effect.succeed({ bytes, cut: false })
  const decompress = decompressors.get(name)
  if (decompress === undefined) return new WebFailure({ reason: "malformed", message: "the answer is in a content encoding that is not known here" })
  return Effect.callback((resume) => {
    decompress(bytes, { maxOutputLength }, (error, unpacked) =>
      resume(
        error === null
          ? Effect.succeed({ bytes: new Uint8Array(unpacked), cut: false })
          : "code" in error && error.code === "ERR_BUFFER_TOO_LARGE"
          ? Effect.succeed({ bytes: new Uint8Array(), cut: true })
          : Effect.fail(new WebFailure({ reason: "malformed", message: "the answer is not in the content encoding that it names" }))
      ))
  })
}

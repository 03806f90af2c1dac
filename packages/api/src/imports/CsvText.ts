/** The text of a CSV file, in whichever encoding a spreadsheet or a tracker wrote it. */
import { isUtf8 } from "node:buffer"

/** UTF-16 by its byte order mark; else UTF-8 where it is that; else Windows-1252, in which every byte is a character. */
export const csvTextOf = (bytes: Uint8Array): string => {
  const [first, second] = bytes
  const encoding = first === 0xff && second === 0xfe ? "utf-16le" : first === 0xfe && second === 0xff ? "utf-16be" : isUtf8(bytes) ? "utf-8" : "windows-1252"
  return new TextDecoder(encoding).decode(bytes)
}

/** Texts that are larger than anybody would write for a test, and hardly repeat themselves. */
import * as fs from "node:fs"

const handbook = fs.readFileSync(new URL("../../../examples/knowledge/handbook.md", import.meta.url), "utf8")

/** Words of the handbook, each followed by one that follows it there: of so many bytes, with the frequencies and lengths of real ones. The same for the same seed. */
export const largeText = (bytes: number, seed: number): string => {
  const words = handbook.split(/\s+/).filter((word) => /^[A-Za-z][\x21-\x7e]*$/.test(word))
  const after = new Map<string, Array<string>>()
  for (const [index, word] of words.entries()) after.set(word, [...after.get(word) ?? [], words[index + 1] ?? words[0] ?? ""])
  let state = seed
  const next = (below: number) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return (state >>> 8) % below
  }
  const parts: Array<string> = []
  let word = words[0] ?? ""
  for (let length = 0, index = 0; length < bytes; index++) {
    // A number now and then, as logs and tickets have them, keeps paragraphs from being equal.
    const part = index % 25 === 24 ? `${word} #${next(1_000_000)}${index % 75 === 74 ? ".\n\n" : " "}` : `${word} `
    parts.push(part)
    length += part.length
    const following = after.get(word) ?? words
    word = following[next(following.length)] ?? ""
  }
  return parts.join("").slice(0, bytes)
}

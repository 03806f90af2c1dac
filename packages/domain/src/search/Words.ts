/**
 * The words of a text as a search compares them (docs/decisions/0026): NFKC, without regard to case, and to the diacritics of
 * Latin and Greek letters. Scripts that put no spaces between words are cut into pairs of characters.
 */

/** Each once, in the order of the text. */
export const wordsOf = (text: string): ReadonlyArray<string> => [...new Set(normalized(text).match(runs)?.flatMap(wordsOfRun) ?? [])]

/** Upper case first, because ß and SS, ς and σ are the same there. */
const normalized = (text: string): string =>
  text.normalize("NFKC").toUpperCase().toLowerCase().replaceAll("ς", "σ")
    .normalize("NFKD").replace(/([\p{Script=Latin}\p{Script=Greek}])\p{Mn}+/gu, "$1").normalize("NFC")

const spaceless = "\\p{Script=Han}\\p{Script=Hiragana}\\p{Script=Katakana}\\p{Script=Hangul}ー"
  + "\\p{Script=Thai}\\p{Script=Lao}\\p{Script=Khmer}\\p{Script=Myanmar}\\p{Script=Tibetan}"

const spaced = `(?![${spaceless}])`

/** Letters and digits with their marks that stand together, of scripts with spaces or of scripts without; or one picture. */
const runs = new RegExp(
  `[${spaceless}]+|${spaced}[\\p{L}\\p{N}](?:${spaced}[\\p{L}\\p{N}\\p{M}])*|\\p{Extended_Pictographic}`,
  "gu"
)

const isSpaceless = new RegExp(`^[${spaceless}]`, "u")

const wordsOfRun = (run: string): ReadonlyArray<string> => {
  const characters = isSpaceless.test(run) ? [...run] : []
  return characters.length < 2 ? [run] : characters.slice(1).map((character, index) => `${characters[index]}${character}`)
}

/**
 * Which font has which character. DejaVu Sans has Latin, Greek, Cyrillic, Arabic, Hebrew, Armenian, Georgian and symbols; Noto Sans has
 * Chinese and Japanese, and Korean. What none of them has (Indic scripts, Thai, coloured emoji …) is named by its code point: an empty box
 * would say nothing. The large fonts are read only where a text needs them.
 */
import * as fontkit from "fontkit"
import { readFileSync } from "node:fs"

export interface Run {
  /** A name of `faces`. */
  readonly face: Face
  readonly text: string
}

export type Face = "text" | "bold" | "han" | "hangul"

const besides = (entry: string, file: string): URL => new URL(file, import.meta.resolve(entry))

export const faces: Readonly<Record<Face, URL>> = {
  text: besides("dejavu-fonts-ttf/package.json", "ttf/DejaVuSans.ttf"),
  bold: besides("dejavu-fonts-ttf/package.json", "ttf/DejaVuSans-Bold.ttf"),
  han: besides("@embedpdf/fonts-sc", "../fonts/NotoSansHans-Regular.otf"),
  hangul: besides("@embedpdf/fonts-kr", "../fonts/NotoSansKR-Regular.otf")
}

export interface Fonts {
  /** The text as runs of one font each, in its order. */
  readonly runsOf: (text: string, weight: "text" | "bold") => ReadonlyArray<Run>
  readonly dataOf: (face: Face) => Buffer
}

export const makeFonts = (): Fonts => {
  const loaded = new Map<Face, { readonly data: Buffer; readonly has: (codePoint: number) => boolean }>()
  const load = (face: Face) => {
    const known = loaded.get(face)
    if (known !== undefined) return known
    const data = readFileSync(faces[face])
    const font = fontkit.create(data)
    const made = { data, has: (codePoint: number) => "hasGlyphForCodePoint" in font && font.hasGlyphForCodePoint(codePoint) }
    loaded.set(face, made)
    return made
  }
  const faceOf = (character: string, weight: "text" | "bold"): Face | undefined => {
    const codePoint = character.codePointAt(0) ?? 0
    const candidates: ReadonlyArray<Face> = codePoint < 0x1100 ? [weight] : [weight, "han", "hangul"]
    return candidates.find((face) => load(face).has(codePoint))
  }

  return {
    dataOf: (face) => load(face).data,
    runsOf: (text, weight) => {
      const runs: Array<{ face: Face; text: string }> = []
      const append = (face: Face, piece: string) => {
        const last = runs.at(-1)
        if (last?.face === face) last.text += piece
        else runs.push({ face, text: piece })
      }
      for (const character of printable(text)) {
        const face = faceOf(character, weight)
        if (face !== undefined) append(face, character)
        else if (!IGNORABLE.test(character)) append(weight, `[U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}]`)
      }
      return runs
    }
  }
}

/** Joiners and selectors of variants mean something only beside what they join. */
const IGNORABLE = /\p{Default_Ignorable_Code_Point}/u

/** White space is a blank, and what cannot be seen is none. */
const printable = (text: string): string => text.normalize("NFC").replace(/\s/g, " ").replace(/\p{Cc}/gu, "")

/**
 * HTML as text: headings as lines of their own, preformatted text as code fences, everything else in blocks as a reader sees it;
 * scripts, styles and what is not shown are left out. Attributes are never looked at; entities are decoded once. Nothing grows:
 * a document that is deeper than a page can be is refused.
 */
import { Effect, Schema } from "effect"
import { Parser } from "htmlparser2"
import { MAX_DEPTH, type Parsed, titleOf, Unreadable } from "./Parsed.ts"

export const parseHtml = (source: string): Effect.Effect<Parsed, Unreadable> =>
  Effect.try({
    try: () => {
      const reader = new Reader()
      const parser = new Parser(reader)
      for (let at = 0; at < source.length; at += SLICE) parser.write(source.slice(at, at + SLICE))
      parser.end()
      return reader.parsed()
    },
    catch: (cause) =>
      cause instanceof TooDeep
        ? new Unreadable({ message: `the document has more than ${MAX_DEPTH} elements within each other` })
        : new Unreadable({ message: "the document is not HTML that can be read", cause })
  })

class TooDeep extends Schema.TaggedError<TooDeep>()("TooDeep", {}) {}

const SLICE = 65_536
const FENCE = "```"

const unseen = new Set(["script", "style", "noscript", "template", "svg", "math", "iframe", "object", "select", "textarea"])
const blocks = new Set([
  "address", "article", "aside", "blockquote", "body", "dd", "details", "div", "dl", "dt", "fieldset", "figcaption", "figure", "footer",
  "form", "header", "hr", "li", "main", "nav", "ol", "p", "section", "summary", "table", "tbody", "thead", "tr", "ul"
])
const paragraphs = new Set(["p", "ul", "ol", "table", "blockquote", "article", "section", "figure"])
const isHeading = /^h[1-6]$/

/** Handlers of the parser; the text grows as it reads. */
class Reader {
  #text: Array<string> = []
  #length = 0
  #depth = 0
  #unseen = 0
  #pre: number | undefined
  #heading: { readonly start: number; readonly level: number; readonly part: number } | undefined
  #title = ""
  #inTitle = false
  /** Line ends that the next text begins with. */
  #breaks = 0
  #space = false
  readonly #headings: Array<Parsed["headings"][number]> = []
  readonly #fences: Array<Parsed["fences"][number]> = []

  onopentag(name: string): void {
    this.#depth++
    // Thrown rather than answered: the parser knows no other way to be stopped.
    if (this.#depth > MAX_DEPTH) throw new TooDeep()
    if (unseen.has(name)) this.#unseen++
    if (name === "title" && this.#length === 0) this.#inTitle = true
    if (this.#unseen > 0 || this.#pre !== undefined) return
    if (isHeading.test(name)) this.#openHeading(Number(name[1]))
    else if (name === "pre") this.#openPre()
    else if (name === "br") this.#breaks = Math.max(this.#breaks, 1)
    else if (name === "td" || name === "th") this.#space = true
    else if (blocks.has(name)) this.#breakFor(name)
    if (name === "li") this.#add("- ")
  }

  onclosetag(name: string): void {
    this.#depth--
    if (unseen.has(name)) this.#unseen = Math.max(0, this.#unseen - 1)
    if (name === "title") this.#inTitle = false
    if (this.#unseen > 0) return
    if (name === "pre") this.#closePre()
    if (this.#pre !== undefined) return
    if (isHeading.test(name)) this.#closeHeading()
    else if (blocks.has(name)) this.#breakFor(name)
  }

  ontext(text: string): void {
    if (this.#unseen > 0) return
    if (this.#inTitle) this.#title += text
    else if (this.#pre !== undefined) this.#push(text)
    else this.#words(text)
  }

  parsed(): Parsed {
    this.#closePre()
    this.#closeHeading()
    const text = this.#text.join("")
    const first = this.#headings.find(({ level }) => level === 1)
    return { text, headings: this.#headings, fences: this.#fences, title: titleOf(this.#title) ?? first?.title ?? null }
  }

  #words(text: string): void {
    const words = text.replace(/\s+/g, " ")
    if (words === " " || words === "") {
      this.#space ||= words === " "
      return
    }
    const body = words.trim()
    if (words.startsWith(" ")) this.#space = true
    this.#add(body)
    this.#space = words.endsWith(" ")
  }

  #add(text: string): void {
    if (this.#breaks > 0 && this.#length > 0) this.#push("\n".repeat(this.#breaks))
    else if (this.#space && this.#length > 0) this.#push(" ")
    this.#breaks = 0
    this.#space = false
    this.#push(text)
  }

  #breakFor(name: string): void {
    this.#breaks = Math.max(this.#breaks, paragraphs.has(name) ? 2 : 1)
    this.#space = false
  }

  #openHeading(level: number): void {
    this.#closeHeading()
    this.#breaks = 2
    this.#add(`${"#".repeat(level)} `)
    this.#heading = { start: this.#length - level - 1, level, part: this.#text.length }
  }

  #closeHeading(): void {
    if (this.#heading === undefined) return
    const { level, part, start } = this.#heading
    this.#heading = undefined
    const title = titleOf(this.#text.slice(part).join(""))
    if (title !== null) this.#headings.push({ start, end: this.#length, level, title })
    this.#breaks = 2
  }

  #openPre(): void {
    this.#closeHeading()
    this.#breaks = 2
    this.#add("")
    this.#pre = this.#length
    this.#push(`${FENCE}\n`)
  }

  #closePre(): void {
    if (this.#pre === undefined) return
    const start = this.#pre
    this.#pre = undefined
    this.#push(this.#text.at(-1)?.endsWith("\n") === true ? FENCE : `\n${FENCE}`)
    this.#fences.push({ start, end: this.#length })
    this.#breaks = 2
  }

  #push(text: string): void {
    this.#text.push(text)
    this.#length += text.length
  }
}

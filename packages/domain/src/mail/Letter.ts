/**
 * A letter before it has a form: blocks of plain text. Templates write no markup, so that no text of a person can become any:
 * both forms are made here, and everything in them is escaped in this one place.
 */

export type Block =
  | { readonly _tag: "Paragraph" | "Heading"; readonly text: string }
  | { readonly _tag: "Bullets"; readonly items: ReadonlyArray<string> }
  /** Of our own making: only `http` and `https`. */
  | { readonly _tag: "Link"; readonly label: string; readonly url: string }
  /** To be copied as it is. */
  | { readonly _tag: "Code"; readonly text: string }

export interface Letter {
  readonly subject: string
  readonly blocks: ReadonlyArray<Block>
  /** Why it was sent, and how to have no more of them. */
  readonly footer: string
}

export interface RenderedMail {
  /** One line without control characters, at most 200 characters. */
  readonly subject: string
  readonly html: string
  readonly text: string
}

export const paragraph = (text: string): Block => ({ _tag: "Paragraph", text })
export const heading = (text: string): Block => ({ _tag: "Heading", text })
export const code = (text: string): Block => ({ _tag: "Code", text })
export const link = (label: string, url: string | null): ReadonlyArray<Block> =>
  url !== null && /^https?:\/\//.test(url) ? [{ _tag: "Link", label, url }] : []

export const render = ({ blocks, footer, subject }: Letter): RenderedMail => ({
  subject: oneLine(subject, MAX_SUBJECT),
  html: htmlOf(oneLine(subject, MAX_SUBJECT), blocks, footer),
  text: [...blocks.map(textOf), `-- \n${multiLine(footer)}`].join("\n\n") + "\n"
})

const MAX_SUBJECT = 200

/** For headers and names: no line break, no control or direction-changing character, nothing that only looks empty. */
export const oneLine = (text: string, limit: number): string => clip(clean(text).replaceAll(/\s+/gu, " ").trim(), limit)

/**
 * A name that a stranger may be shown: nothing in it becomes a link by itself in a mail program. Quotation marks around it are
 * the template's.
 */
export const name = (text: string): string => oneLine(text.replaceAll(/[:/\\@]+/g, " ").replaceAll(/\.(?=\S)/g, ". "), MAX_NAME)

const MAX_NAME = 100

const clip = (text: string, limit: number): string => {
  const characters = [...text]
  return characters.length <= limit ? text : `${characters.slice(0, limit - 1).join("").trimEnd()}…`
}

/** Line breaks and tabs stay; other control characters, and those that turn the direction of text, go. */
const clean = (text: string): string =>
  text.toWellFormed().replaceAll(/[\u0000-\u0008\u000B-\u001F\u007F-\u009F\u2028\u2029\u200B-\u200F\u202A-\u202E\u2060-\u2069\uFEFF]/gu, " ")

const multiLine = (text: string): string => clean(text.replaceAll(/\r\n?/g, "\n"))

const textOf = (block: Block): string => {
  switch (block._tag) {
    case "Paragraph":
      return multiLine(block.text)
    case "Heading":
      return `${oneLine(block.text, MAX_SUBJECT)}\n${"=".repeat(Math.min(60, [...oneLine(block.text, MAX_SUBJECT)].length))}`
    case "Bullets":
      return block.items.map((item) => `* ${multiLine(item)}`).join("\n")
    case "Link":
      return `${block.label}:\n${block.url}`
    case "Code":
      return `    ${oneLine(block.text, 1_000)}`
  }
}

const htmlOf = (subject: string, blocks: ReadonlyArray<Block>, footer: string): string =>
  `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escape(subject)}</title></head>
<body style="margin:0;padding:24px;background:#f5f5f4;color:#1c1917;font:16px/1.5 system-ui,sans-serif">
<div style="max-width:640px;margin:0 auto;padding:24px;background:#ffffff;border-radius:8px">
${blocks.map(elementOf).join("\n")}
</div>
<p style="max-width:640px;margin:16px auto 0;color:#57534e;font-size:13px">${lines(footer)}</p>
</body>
</html>
`

const elementOf = (block: Block): string => {
  switch (block._tag) {
    case "Paragraph":
      return `<p>${lines(block.text)}</p>`
    case "Heading":
      return `<h2 style="font-size:18px;margin:24px 0 8px">${escape(oneLine(block.text, MAX_SUBJECT))}</h2>`
    case "Bullets":
      return `<ul>${block.items.map((item) => `<li>${lines(item)}</li>`).join("")}</ul>`
    case "Link":
      return `<p><a href="${escape(block.url)}" style="color:#1d4ed8">${escape(block.label)}</a></p>`
    case "Code":
      return `<p><code style="padding:4px 8px;background:#f5f5f4;word-break:break-all">${escape(oneLine(block.text, 1_000))}</code></p>`
  }
}

const lines = (text: string): string => escape(multiLine(text)).replaceAll("\n", "<br>")

const escape = (text: string): string => text.replaceAll(/[&<>"']/g, (character) => entities.get(character) ?? "")

const entities = new Map([["&", "&amp;"], ["<", "&lt;"], [">", "&gt;"], ["\"", "&quot;"], ["'", "&#39;"]])

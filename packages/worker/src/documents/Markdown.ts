/** CommonMark: its headings and fenced code, where they stand in the text. The text itself stays as it is. */
import { Effect, Schema } from "effect"
import { fromMarkdown } from "mdast-util-from-markdown"
import { type Parsed, titleOf, Unreadable } from "./Parsed.ts"

type Root = ReturnType<typeof fromMarkdown>
type Node = Root | Root["children"][number]

/** A document from its beginning, or from where the last segment of it ended. */
export const Segment = Schema.Struct({
  text: Schema.String,
  first: Schema.Boolean,
  /** There is no more of it. */
  last: Schema.Boolean
})
export type Segment = typeof Segment.Type

export interface ParsedSegment extends Omit<Parsed, "text"> {
  /** As far as it is certain, whatever comes then. The rest belongs to the next segment. */
  readonly consumed: number
}

/**
 * A block ends where the next one begins (CommonMark, "Appendix: a parsing strategy"), so all of them but the last are what
 * they are. What refers to a link that another segment defines is text.
 */
export const parseSegment = ({ first, last, text }: Segment): Effect.Effect<ParsedSegment, Unreadable> => {
  const source = last ? text : text.slice(0, text.lastIndexOf("\n") + 1)
  return Effect.try({
    try: () => fromMarkdown(first ? withoutFrontMatter(source) : source),
    // Nothing is wrong Markdown; what its parser cannot do is recurse without end.
    catch: (cause) => new Unreadable({ message: "the document is nested too deeply for Markdown", cause })
  }).pipe(Effect.map((root) => {
    const consumed = last ? text.length : beginningOfLast(root, source)
    const headings = root.children.flatMap((node) => {
      const [start, end] = [node.position?.start.offset, node.position?.end.offset]
      return node.type === "heading" && start !== undefined && end !== undefined && start < consumed
        ? [{ start: lineStart(source, start), end, level: node.depth, title: titleOf(wordsIn(node)) ?? "" }]
        : []
    })
    const fences = fencesIn(root, source).filter(({ start }) => start < consumed)
    return { consumed, headings, fences, title: headings.find(({ level }) => level === 1)?.title ?? null }
  }))
}

/** Of the last block, or of a list's last item: the items before it have ended, too. */
const beginningOfLast = ({ children }: Root, source: string): number => {
  const block = children.at(-1)
  const node = block?.type === "list" ? block.children.at(-1) : block
  const start = node?.position?.start.offset
  return start === undefined ? 0 : lineStart(source, start)
}

/** A block of YAML at the very beginning; as many spaces instead, so that all offsets stay. */
const withoutFrontMatter = (source: string): string =>
  source.replace(/^---[ \t]*\r?\n[^]*?\n---[ \t]*(?=\r?\n|$)/, (block) => block.replace(/[^\r\n]/g, " "))

const lineStart = (source: string, offset: number): number => source.lastIndexOf("\n", offset - 1) + 1

const wordsIn = (node: unknown): string => {
  if (typeof node !== "object" || node === null) return ""
  if ("value" in node && typeof node.value === "string") return node.value
  return "children" in node && Array.isArray(node.children) ? node.children.map(wordsIn).join("") : ""
}

/** Of lists and quotes as well. An explicit stack: what is nested deeply must not overflow ours. */
const fencesIn = (root: Root, source: string) => {
  const fences: Array<{ readonly start: number; readonly end: number }> = []
  const open: Array<Node> = [root]
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    const [start, end] = [node.position?.start.offset, node.position?.end.offset]
    if (node.type === "code" && start !== undefined && end !== undefined && /^(?:```|~~~)/.test(source.slice(start, start + 3))) {
      fences.push({ start: lineStart(source, start), end })
    } else if ("children" in node) {
      for (const child of node.children) if (isBlock(child)) open.push(child)
    }
  }
  return fences.sort((a, b) => a.start - b.start)
}

const blocks = new Set(["blockquote", "list", "listItem", "code"])
const isBlock = (node: { readonly type: string }): node is Root["children"][number] => blocks.has(node.type)

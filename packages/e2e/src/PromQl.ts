/**
 * PromQL as far as the rules in otel/ use it: parsed by Prometheus' own grammar, evaluated over samples. So the alerts can be
 * tested where no `promtool` is. `rate` and `increase` do not extrapolate.
 */
import { parser } from "@prometheus-io/lezer-promql"

export type SyntaxNode = ReturnType<typeof parser.parse>["topNode"]
export type Labels = Readonly<Record<string, string>>

export interface Series {
  readonly name: string
  readonly labels: Labels
  /** One value per interval from 0 on; undefined where there is none. */
  readonly values: ReadonlyArray<number | undefined>
}

export interface Point {
  readonly labels: Labels
  readonly value: number
}

/** Undefined where the text is no PromQL. */
export const parse = (text: string): SyntaxNode | undefined => {
  const tree = parser.parse(text)
  let broken = false
  tree.iterate({
    enter: ({ type }) => {
      broken ||= type.isError
    }
  })
  return broken ? undefined : tree.topNode
}

/** All nodes of a name, in order. */
export const nodesOf = (node: SyntaxNode, name: string): ReadonlyArray<SyntaxNode> => {
  const found: Array<SyntaxNode> = []
  node.cursor().iterate((one) => {
    if (one.name === name) found.push(one.node)
  })
  return found
}

/** What a selector asks for: the metric, and which label must be how. */
export const selectorOf = (selector: SyntaxNode, text: string) => ({
  name: textOf(selector.getChild("Identifier"), text),
  matchers: nodesOf(selector, "UnquotedLabelMatcher").map((matcher) => ({
    label: textOf(matcher.getChild("LabelName"), text),
    operator: textOf(matcher.getChild("MatchOp"), text),
    value: textOf(matcher.getChild("StringLiteral"), text).slice(1, -1)
  }))
})

export const textOf = (node: SyntaxNode | null | undefined, text: string): string =>
  node === null || node === undefined ? "" : text.slice(node.from, node.to)

/** `1m30s` in seconds. */
export const secondsOf = (duration: string): number =>
  [...duration.matchAll(/(\d+)([smh])/g)].reduce((sum, [, amount, unit]) => sum + Number(amount) * (unit === "h" ? 3600 : unit === "m" ? 60 : 1), 0)

export interface World {
  readonly series: ReadonlyArray<Series>
  /** Seconds between two values of a series. */
  readonly interval: number
}

/** The value of an expression at a time, in seconds. Throws where it uses what is not known here. */
export const evaluate = (text: string, world: World, at: number): ReadonlyArray<Point> => {
  const root = parse(text)?.firstChild
  if (root === null || root === undefined) throw new Error(`no PromQL: ${text}`)
  return valueOf(root, { text, world, at })
}

interface Scene {
  readonly text: string
  readonly world: World
  readonly at: number
}

const valueOf = (node: SyntaxNode, scene: Scene): ReadonlyArray<Point> => {
  switch (node.name) {
    case "NumberDurationLiteral":
      return [{ labels: {}, value: Number(textOf(node, scene.text)) }]
    case "ParenExpr":
      return valueOf(child(node, 0), scene)
    case "VectorSelector":
      return pick(node, scene).flatMap(({ labels, values }) => {
        const value = values[Math.floor(scene.at / scene.world.interval)]
        return value === undefined ? [] : [{ labels, value }]
      })
    case "AggregateExpr":
      return aggregate(node, scene)
    case "FunctionCall":
      return call(node, scene)
    case "BinaryExpr":
      return binary(node, scene)
    default:
      throw new Error(`${node.name} is not evaluated here`)
  }
}

const children = (node: SyntaxNode): ReadonlyArray<SyntaxNode> => {
  const all: Array<SyntaxNode> = []
  for (let one = node.firstChild; one !== null; one = one.nextSibling) all.push(one)
  return all
}

const child = (node: SyntaxNode, index: number): SyntaxNode => {
  const found = children(node).at(index)
  if (found === undefined) throw new Error(`${node.name} has no part ${index}`)
  return found
}

const pick = (node: SyntaxNode, { text, world }: Scene) => {
  const { matchers, name } = selectorOf(node, text)
  return world.series.filter((series) =>
    series.name === name && matchers.every(({ label, operator, value }) => {
      const given = series.labels[label] ?? ""
      const fits = operator.endsWith("~") ? new RegExp(`^(?:${value})$`).test(given) : given === value
      return fits !== operator.startsWith("!")
    }))
}

const aggregate = (node: SyntaxNode, scene: Scene) => {
  const modifier = node.getChild("AggregateModifier")
  const by = modifier === null ? [] : nodesOf(modifier, "LabelName").map((label) => textOf(label, scene.text))
  const groups = Map.groupBy(valueOf(child(child(node, -1), 0), scene), ({ labels }) => JSON.stringify(by.map((label) => [label, labels[label] ?? ""])))
  const join = { sum: (all: Array<number>) => all.reduce((a, b) => a + b), max: (all: Array<number>) => Math.max(...all), min: (all: Array<number>) => Math.min(...all) }
  const operator = textOf(child(node, 0), scene.text)
  if (operator !== "sum" && operator !== "max" && operator !== "min") throw new Error(`${operator} is not evaluated here`)
  return [...groups.values()].map((group) => ({
    labels: Object.fromEntries(by.flatMap((label) => group[0]?.labels[label] === undefined ? [] : [[label, group[0].labels[label]]])),
    value: join[operator](group.map(({ value }) => value))
  }))
}

const call = (node: SyntaxNode, scene: Scene): ReadonlyArray<Point> => {
  const name = textOf(child(node, 0), scene.text)
  const parts = children(child(node, 1))
  const [first, second] = parts
  if (first === undefined) throw new Error(`${name} of nothing`)
  if (name === "rate") {
    const range = secondsOf(textOf(first.getChild("DurationExpr"), scene.text))
    return pick(child(first, 0), scene).flatMap(({ labels, values }) => {
      const seen = values.slice(Math.max(0, Math.ceil((scene.at - range) / scene.world.interval)), Math.floor(scene.at / scene.world.interval) + 1)
      const known = seen.filter((value) => value !== undefined)
      return known.length < 2 ? [] : [{ labels, value: ((known.at(-1) ?? 0) - (known[0] ?? 0)) / ((known.length - 1) * scene.world.interval) }]
    })
  }
  if (name === "absent") {
    if (valueOf(first, scene).length > 0) return []
    const { matchers } = selectorOf(first, scene.text)
    return [{ labels: Object.fromEntries(matchers.filter(({ operator }) => operator === "=").map(({ label, value }) => [label, value])), value: 1 }]
  }
  if (name === "histogram_quantile" && second !== undefined) return quantile(valueOf(first, scene)[0]?.value ?? 0, valueOf(second, scene))
  throw new Error(`${name} is not evaluated here`)
}

/** Of one histogram, by linear interpolation within the bucket, as Prometheus does. */
const quantile = (share: number, points: ReadonlyArray<Point>): ReadonlyArray<Point> => {
  const buckets = points.map(({ labels, value }) => ({ le: labels["le"] === "+Inf" ? Infinity : Number(labels["le"]), value })).toSorted((a, b) => a.le - b.le)
  const rank = share * (buckets.at(-1)?.value ?? 0)
  const index = buckets.findIndex(({ value }) => value >= rank)
  const bucket = buckets[index]
  const below = buckets[index - 1] ?? { le: 0, value: 0 }
  if (bucket === undefined || rank === 0) return []
  return [{ labels: {}, value: bucket.le === Infinity ? below.le : below.le + (bucket.le - below.le) * (rank - below.value) / (bucket.value - below.value) }]
}

const binary = (node: SyntaxNode, scene: Scene): ReadonlyArray<Point> => {
  const [left, right] = [valueOf(child(node, 0), scene), valueOf(child(node, -1), scene)]
  const operator = textOf(child(node, 1), scene.text)
  const scalar = child(node, -1).name === "NumberDurationLiteral"
  return left.flatMap(({ labels, value }) => {
    const other = right.find((point) => scalar || JSON.stringify(point.labels) === JSON.stringify(labels))
    if (other === undefined) return []
    if (operator === "/") return [{ labels, value: value / other.value }]
    if (operator === ">") return value > other.value ? [{ labels, value }] : []
    if (operator === "==") return value === other.value ? [{ labels, value }] : []
    throw new Error(`${operator} is not evaluated here`)
  })
}

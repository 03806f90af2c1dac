/** The requests of the committed Bruno collection, read by Bruno's own parser, and what Bruno does with them: variables filled and kept. */
import { children, type Json } from "@englog/rpc/http/JsonTree"
import { bruToJsonV2 } from "@usebruno/lang"
import * as fs from "node:fs"
import * as path from "node:path"
import { runInNewContext } from "node:vm"

const folder = path.resolve(import.meta.dirname, "../../../../examples/bruno")

export interface BrunoRequest {
  readonly method: string
  /** With braces around parameters, as the OpenAPI document has it. */
  readonly path: string
  /** Names of the variables that it needs. */
  readonly needs: ReadonlySet<string>
  readonly filled: (variables: ReadonlyMap<string, string>, how?: Filling) => FilledRequest
  /** Runs its script; the variables that it sets. */
  readonly keeps: (res: { readonly status: number; readonly body: unknown }) => ReadonlyMap<string, string>
}

export interface Filling {
  /** With the parameters and headers that are switched off, too, where they have a value. */
  readonly everything?: boolean
  /** Of the path, instead of their variables. */
  readonly parameters?: Readonly<Record<string, string>>
}

export interface FilledRequest {
  /** With its query. */
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly raw: { readonly type: string; readonly text: string } | undefined
}

export const brunoRequests = (): ReadonlyArray<BrunoRequest> =>
  fs.globSync("*/*.bru", { cwd: folder })
    .filter((name) => !name.startsWith("environments") && path.basename(name) !== "folder.bru")
    .map((name) => requestOf(children(bruToJsonV2(fs.readFileSync(path.join(folder, name), "utf8")))))

const list = (value: unknown): ReadonlyArray<Json> => Array.isArray(value) ? value.map(children) : []

const types: Readonly<Record<string, string>> = { json: "application/json", text: "text/plain" }

const requestOf = (request: Json): BrunoRequest => {
  const http = children(request["http"])
  const template = String(http["url"]).replace("{{base_url}}", "").replace(/\?.*$/, "")
  const params = list(request["params"])
  const headers = list(request["headers"])
  const kind = String(http["body"])
  const type = headers.find(({ enabled, name }) => enabled === true && name === "content-type")?.["value"]
  const body = kind === "none" ? undefined : String(children(request["body"])[kind])
  const script = String(children(request["script"])["res"] ?? "")
  const inPath = params.filter(({ type }) => type === "path")
  const query = params.filter(({ type }) => type === "query")
  const chosen = (all: ReadonlyArray<Json>, everything: boolean) =>
    all.filter(({ enabled, value }) => enabled === true || (everything && value !== ""))
  return {
    method: String(http["method"]).toUpperCase(),
    path: template.replaceAll(/\{\{(\w+)\}\}/g, "{$1}").replaceAll(/:(\w+)/g, "{$1}"),
    needs: new Set(variablesOf([template, body, ...inPath.map(({ value }) => value), ...chosen(query, false).map(({ value }) => value)].join("\n"))),
    filled: (variables, { everything = false, parameters = {} } = {}) => {
      const fill = (text: unknown) => String(text).replaceAll(variable, (_, name: string) => variables.get(name) ?? "")
      const route = inPath.reduce((route, { name, value }) => route.replace(`:${String(name)}`, encodeURIComponent(parameters[String(name)] ?? fill(value))), fill(template))
      const pairs = chosen(query, everything).map(({ name, value }): [string, string] => [String(name), fill(value)]).filter(([, value]) => value !== "")
      return {
        path: pairs.length === 0 ? route : `${route}?${new URLSearchParams(pairs)}`,
        headers: Object.fromEntries(chosen(headers, everything).map(({ name, value }) => [String(name), fill(value)])),
        raw: body === undefined ? undefined : { type: String(type ?? types[kind] ?? kind), text: fill(body) }
      }
    },
    keeps: (res) => {
      const kept = new Map<string, string>()
      runInNewContext(script, { res, bru: { setVar: (name: string, value: unknown) => kept.set(name, String(value)) } })
      return kept
    }
  }
}

const variable = /\{\{(\$?\w+)\}\}/g

const variablesOf = (text: string): ReadonlyArray<string> => [...text.matchAll(variable)].map(([, name = ""]) => name)

/** The OpenAPI document as a collection of Bruno: files by their paths, a folder for each tag. */
import { children } from "@englog/rpc/http/JsonTree"
import { envJsonToBruV2, jsonToBruV2, jsonToCollectionBru } from "@usebruno/lang"
import { brunoRequest, type Operation } from "./BrunoRequest.ts"

const readme = [
  "EngLog's REST API, made from its OpenAPI document by `npm run bruno`; do not edit it.",
  "Choose the environment `local`, open an account or log in (folder Accounts): the token is kept, and every request sends it. "
  + "What makes a thing keeps its id for the requests after it: `entry_id`, `project_id`, `task_id` … Of what no request makes, such as insights, "
  + "notifications and workers, a list keeps the first."
].join("\n\n")

const local = [
  ["base_url", "http://127.0.0.1:8080"], ["email", "ada@example.com"], ["password", "correct horse battery"], ["queue", "default"]
].map(([name, value]) => ({ name, value, enabled: true, secret: false }))

const methods = ["get", "put", "post", "delete", "patch"]

const operationsOf = (document: unknown): ReadonlyArray<Operation> =>
  Object.entries(children(children(document)["paths"])).flatMap(([path, item]) =>
    Object.entries(children(item)).filter(([method]) => methods.includes(method)).map(([method, value]) => ({ method, path, value: children(value) })))

const tagOf = ({ value }: Operation): string => Array.isArray(value["tags"]) ? String(value["tags"][0]) : "Other"

/** `entries.list` is `list.bru` in the folder of its tag. */
const fileOf = ({ value }: Operation): string => `${String(value["operationId"]).split(".").at(-1)}.bru`

/** In the order of their names: a new one changes none of the others. */
const folder = (name: string, docs: string): string => jsonToBruV2({ meta: { name }, docs })

export const brunoCollection = (document: unknown): ReadonlyMap<string, string> => {
  const operations = operationsOf(document)
  const tags = [...new Set(operations.map(tagOf))]
  const described = new Map(Object.values(children(document)["tags"] ?? []).map(children).map(({ description, name }) => [String(name), String(description)]))
  const files = tags.flatMap((tag) => [
    [`${tag}/folder.bru`, folder(tag, described.get(tag) ?? "")] as const,
    ...operations.filter((operation) => tagOf(operation) === tag)
      .map((operation, index) => [`${tag}/${fileOf(operation)}`, brunoRequest(operation, index + 1, operations)] as const)
  ])
  return new Map([
    ["bruno.json", `${JSON.stringify({ version: "1", name: "EngLog", type: "collection", ignore: [] }, undefined, 2)}\n`],
    ["collection.bru", jsonToCollectionBru({ auth: { mode: "bearer", bearer: { token: "{{access_token}}" } }, docs: readme })],
    ["environments/local.bru", envJsonToBruV2({ variables: local })],
    ...files
  ])
}

/** REST of documents: see DocumentsApi. */
import { EngLogApi } from "@englog/rpc/http/Api"
import { CurrentUser } from "@englog/rpc/http/Authorization"
import { HttpApiBuilder } from "effect/http-api"
import { Effect } from "effect"
import { orUnavailable } from "../http/errors/DatabaseOutage.ts"
import { Documents } from "./Documents.ts"
import { KnowledgeSearch } from "./KnowledgeSearch.ts"

export const DocumentsHttp = HttpApiBuilder.group(EngLogApi, "documents", Effect.fn(function*(handlers) {
  const documents = yield* Documents
  const knowledge = yield* KnowledgeSearch
  return handlers.handleAll({
    process: ({ payload }) => CurrentUser.use((user) => orUnavailable(documents.submit(user, payload))),
    processBulk: ({ payload }) => CurrentUser.use((user) => orUnavailable(documents.submitAll(user, payload))),
    search: ({ payload }) => CurrentUser.use((user) => orUnavailable(knowledge.search(user, payload))),
    list: ({ query }) => CurrentUser.use((user) => orUnavailable(documents.list(user, query))),
    get: ({ params, query }) => CurrentUser.use((user) => orUnavailable(documents.get(user, { ...params, ...query }))),
    remove: ({ params, query }) => CurrentUser.use((user) => orUnavailable(documents.remove(user, { ...params, ...query })))
  })
}))

/** RPC of tags: see TagRpcs. */
import { CurrentUser } from "@englog/rpc/http/Authorization"
import { TagRpcs } from "@englog/rpc/rpc/TagRpcs"
import { Effect } from "effect"
import { seenTag } from "../http/EntityTag.ts"
import { orRpcFailure } from "../rpc/RpcFailures.ts"
import { Tags } from "./Tags.ts"

export const TagRpcsLive = TagRpcs.toLayer(Effect.gen(function*() {
  const tags = yield* Tags
  return TagRpcs.of({
    CreateTag: (tag) => CurrentUser.use((user) => orRpcFailure(tags.create(user, tag))),
    ListTags: (query) => CurrentUser.use((user) => orRpcFailure(tags.list(user, query))),
    ListPopularTags: (query) => CurrentUser.use((user) => orRpcFailure(tags.popular(user, query))),
    GetTag: ({ id }) => CurrentUser.use((user) => orRpcFailure(tags.get(user, id))),
    UpdateTag: ({ id, if_match, tag }) => CurrentUser.use((user) => orRpcFailure(tags.update(user, id, tag, seenTag(if_match)))),
    DeleteTag: ({ id, if_match }) => CurrentUser.use((user) => orRpcFailure(tags.remove(user, id, seenTag(if_match)))),
    MergeTag: ({ id, into }) => CurrentUser.use((user) => orRpcFailure(tags.merge(user, id, into)))
  })
}))

/** Tags over RPC; see TagsApi. */
import { TagId } from "@englog/domain/Ids"
import { Tag } from "@englog/domain/tags/Tag"
import { Rpc, RpcGroup } from "effect/rpc"
import { PopularTagsQuery, TagMerge, TagPage, TagPayload, TagQuery } from "../http/TagsApi.ts"
import { ifMatch } from "./IfMatch.ts"
import { RpcAuthorization } from "./RpcAuthorization.ts"
import { RpcFailure } from "./RpcFailure.ts"

const error = RpcFailure
const id = { id: TagId }

export class TagRpcs extends RpcGroup.make(
  Rpc.make("CreateTag", { payload: TagPayload, success: Tag, error }),
  Rpc.make("ListTags", { payload: TagQuery, success: TagPage, error }),
  Rpc.make("ListPopularTags", { payload: PopularTagsQuery, success: TagPage, error }),
  Rpc.make("GetTag", { payload: id, success: Tag, error }),
  Rpc.make("UpdateTag", { payload: { ...id, tag: TagPayload, ...ifMatch }, success: Tag, error }),
  Rpc.make("DeleteTag", { payload: { ...id, ...ifMatch }, error }),
  Rpc.make("MergeTag", { payload: { ...id, ...TagMerge.fields }, success: Tag, error })
).middleware(RpcAuthorization) {}

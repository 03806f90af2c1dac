/** RPC of projects: see ProjectRpcs. */
import { CurrentUser } from "@englog/rpc/http/Authorization"
import { ProjectRpcs } from "@englog/rpc/rpc/ProjectRpcs"
import { Effect } from "effect"
import { seenTag } from "../http/EntityTag.ts"
import { orRpcFailure } from "../rpc/RpcFailures.ts"
import { Projects } from "./Projects.ts"

export const ProjectRpcsLive = ProjectRpcs.toLayer(Effect.gen(function*() {
  const projects = yield* Projects
  return ProjectRpcs.of({
    CreateProject: (project) => CurrentUser.use((user) => orRpcFailure(projects.create(user, project))),
    ListProjects: (query) => CurrentUser.use((user) => orRpcFailure(projects.list(user, query))),
    GetProject: ({ id }) => CurrentUser.use((user) => orRpcFailure(projects.get(user, id))),
    UpdateProject: ({ id, if_match, project }) => CurrentUser.use((user) => orRpcFailure(projects.update(user, id, project, seenTag(if_match)))),
    DeleteProject: ({ id, if_match }) => CurrentUser.use((user) => orRpcFailure(projects.remove(user, id, seenTag(if_match)))),
    ArchiveProject: ({ id }) => CurrentUser.use((user) => orRpcFailure(projects.setArchived(user, id, true))),
    UnarchiveProject: ({ id }) => CurrentUser.use((user) => orRpcFailure(projects.setArchived(user, id, false))),
    MakeDefaultProject: ({ id, if_match }) => CurrentUser.use((user) => orRpcFailure(projects.makeDefault(user, id, seenTag(if_match)))),
    EndDefaultProject: ({ id, if_match }) => CurrentUser.use((user) => orRpcFailure(projects.endDefault(user, id, seenTag(if_match)))),
    GetProjectStats: ({ id, period }) => CurrentUser.use((user) => orRpcFailure(projects.stats(user, id, period))),
    GetProjectSharing: ({ id }) => CurrentUser.use((user) => orRpcFailure(projects.sharing(user, id))),
    ShareProject: ({ id, if_match, sharing }) => CurrentUser.use((user) => orRpcFailure(projects.share(user, id, sharing, seenTag(if_match))))
  })
}))

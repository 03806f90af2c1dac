/** Projects over RPC; see ProjectsApi. */
import { ProjectId } from "@englog/domain/Ids"
import { Project } from "@englog/domain/projects/Project"
import { ProjectStats } from "@englog/domain/projects/ProjectStats"
import { Sharing } from "@englog/domain/projects/Sharing"
import { Rpc, RpcGroup } from "effect/rpc"
import { ProjectPage, ProjectPayload, ProjectQuery, SharingPayload, StatsQuery } from "../http/ProjectsApi.ts"
import { ifMatch } from "./IfMatch.ts"
import { RpcAuthorization } from "./RpcAuthorization.ts"
import { RpcFailure } from "./RpcFailure.ts"

const error = RpcFailure
const id = { id: ProjectId }

export class ProjectRpcs extends RpcGroup.make(
  Rpc.make("CreateProject", { payload: ProjectPayload, success: Project, error }),
  Rpc.make("ListProjects", { payload: ProjectQuery, success: ProjectPage, error }),
  Rpc.make("GetProject", { payload: id, success: Project, error }),
  Rpc.make("UpdateProject", { payload: { ...id, project: ProjectPayload, ...ifMatch }, success: Project, error }),
  Rpc.make("DeleteProject", { payload: { ...id, ...ifMatch }, error }),
  Rpc.make("ArchiveProject", { payload: id, success: Project, error }),
  Rpc.make("UnarchiveProject", { payload: id, success: Project, error }),
  Rpc.make("MakeDefaultProject", { payload: { ...id, ...ifMatch }, success: Project, error }),
  Rpc.make("EndDefaultProject", { payload: { ...id, ...ifMatch }, error }),
  Rpc.make("GetProjectStats", { payload: { ...id, period: StatsQuery }, success: ProjectStats, error }),
  Rpc.make("GetProjectSharing", { payload: id, success: Sharing, error }),
  Rpc.make("ShareProject", { payload: { ...id, sharing: SharingPayload, ...ifMatch }, success: Sharing, error })
).middleware(RpcAuthorization) {}

import type { OrganizationId, ProjectId } from "@englog/domain/Ids"
import { EngLogClient } from "@englog/rpc/client/EngLogClient"
import type { RpcFailure } from "@englog/rpc/rpc/RpcFailure"
import { Effect } from "effect"

/** `code` says what is wrong, `details` which fields: no program has to read the sentence. */
const inWords = ({ code, details, message }: RpcFailure): string =>
  code === "invalid_field" ? details.flatMap((detail) => "field" in detail ? [`${detail.field} ${detail.reason}`] : []).join(", ") : message

export const moveProject = Effect.fn("moveProject")(function*(id: ProjectId, team_id: OrganizationId) {
  const englog = yield* EngLogClient
  const project = yield* englog.GetProject({ id })
  return yield* englog.UpdateProject({ id, project: { ...project, team_id } }).pipe(
    Effect.map(({ name }) => `${name} is the team's`),
    Effect.catchTag("RpcFailure", (failure) => Effect.succeed(inWords(failure)))
  )
})

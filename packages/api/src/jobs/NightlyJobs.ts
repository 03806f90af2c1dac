/** Every nightly job there is (seed 004, "Daily Cleanup"). */
import { Effect } from "effect"
import { Leaving } from "../account/Leaving.ts"
import { ApiTokenRepo } from "../auth/ApiTokenRepo.ts"
import { SessionRepo } from "../auth/SessionRepo.ts"
import { IdempotencyRepo } from "../idempotency/IdempotencyRepo.ts"
import { InsightRepo } from "../insights/InsightRepo.ts"
import { TaskCleanup } from "../queue/TaskCleanup.ts"
import type { NightlyJob } from "../replicas/Jobs.ts"
import { SecurityEventRepo } from "../security/SecurityEventRepo.ts"
import { InvitationRepo } from "../teams/InvitationRepo.ts"

type Needed = ApiTokenRepo | IdempotencyRepo | InsightRepo | InvitationRepo | Leaving | SecurityEventRepo | SessionRepo | TaskCleanup

export const nightlyJobs: ReadonlyArray<NightlyJob<Needed>> = [
  { name: "token-denylist-cleanup", minute: 5, what: "used refresh tokens that have expired", run: SessionRepo.use((sessions) => sessions.removeDenylisted) },
  { name: "session-cleanup", minute: 10, what: "expired sessions", run: SessionRepo.use((sessions) => sessions.removeExpired) },
  { name: "api-token-cleanup", minute: 15, what: "API tokens that expired 30 days ago", run: ApiTokenRepo.use((tokens) => tokens.removeExpired) },
  {
    name: "security-event-cleanup",
    minute: 20,
    what: "security events that are older than 90 days",
    run: SecurityEventRepo.use((events) => Effect.andThen(events.disownGone, events.removeExpired))
  },
  {
    name: "task-cleanup",
    minute: 30,
    what: "records of tasks whose time is over, by default 30 days after their end",
    run: TaskCleanup.use((cleanup) =>
      Effect.map(cleanup.sweep({ age: "result_ttl" }), ({ cancelled, completed, failed }) => cancelled + completed + failed))
  },
  { name: "invitation-cleanup", minute: 35, what: "invitations that nobody accepted in time", run: InvitationRepo.use((invitations) => invitations.removeExpired) },
  { name: "idempotency-cleanup", minute: 45, what: "keys of requests that mean nothing any more", run: IdempotencyRepo.use((keys) => keys.removeExpired) },
  { name: "insight-cleanup", minute: 40, what: "insights that are older than six months", run: InsightRepo.use((insights) => insights.removeOld) },
  { name: "scheduled-deletions", minute: 50, what: "accounts whose deletion was due", run: Leaving.use((leaving) => leaving.removeDue) }
]

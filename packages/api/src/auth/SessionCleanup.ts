/**
 * Removes sessions that nobody can use any more, every night (seed 004, "Automatic Cleanup").
 */
import { nightly } from "../replicas/Nightly.ts"
import { SessionRepo } from "./SessionRepo.ts"

export const SessionCleanup = nightly({
  name: "session-cleanup",
  minute: 10,
  what: "expired sessions",
  run: SessionRepo.use((sessions) => sessions.removeExpired)
})

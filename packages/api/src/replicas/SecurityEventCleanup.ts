/** Removes security events that are older than they are kept, every night. */
import { nightly } from "./Nightly.ts"
import { SecurityEventRepo } from "../security/SecurityEventRepo.ts"

export const SecurityEventCleanup = nightly({
  name: "security-event-cleanup",
  minute: 20,
  what: "expired security events",
  run: SecurityEventRepo.use((events) => events.removeExpired)
})

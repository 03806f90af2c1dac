/** Removes invitations that nobody accepted in time, every night: they hold addresses of people who may have no account. */
import { nightly } from "../replicas/Nightly.ts"
import { InvitationRepo } from "./InvitationRepo.ts"

export const InvitationCleanup = nightly({
  name: "invitation-cleanup",
  minute: 40,
  what: "expired invitations",
  run: InvitationRepo.use((invitations) => invitations.removeExpired)
})

/** What `/health` tells about e-mail. An installation may well do without. */
import { Effect } from "effect"
import { HealthChecks } from "../http/health/HealthChecks.ts"
import { MailRepo } from "./MailRepo.ts"

export const MailCheck = HealthChecks.component("mail", Effect.map(MailRepo, ({ canBeSent }) => ({
  essential: false,
  check: canBeSent.pipe(
    Effect.map((can) =>
      can
        ? { status: "up" as const, detail: "a worker that can send e-mail is connected, or was within a day" }
        : { status: "unknown" as const, detail: "no e-mail is sent: SMTP_URL is set on no worker that was connected within a day" }),
    Effect.orElseSucceed(() => ({ status: "unknown" as const, detail: "PostgreSQL, which knows the workers, does not answer" }))
  )
})))

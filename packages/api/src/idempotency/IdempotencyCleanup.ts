/** Removes keys of requests that mean nothing any more, every night. */
import { nightly } from "../replicas/Nightly.ts"
import { IdempotencyRepo } from "./IdempotencyRepo.ts"

export const IdempotencyCleanup = nightly({
  name: "idempotency-cleanup",
  minute: 40,
  what: "expired idempotency keys",
  run: IdempotencyRepo.use((keys) => keys.removeExpired)
})

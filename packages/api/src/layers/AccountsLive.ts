/** Accounts: who may come in, what is theirs, and how they go. */
import { Layer } from "effect"
import { AccountExport } from "../account/AccountExport.ts"
import { EmailChangeRepo } from "../account/EmailChangeRepo.ts"
import { EmailChanges } from "../account/EmailChanges.ts"
import { ExportRepo } from "../account/ExportRepo.ts"
import { Leaving } from "../account/Leaving.ts"
import { LeavingRepo } from "../account/LeavingRepo.ts"
import { OwnAccount } from "../account/OwnAccount.ts"
import { Ownership } from "../account/Ownership.ts"
import { ProfileRepo } from "../account/ProfileRepo.ts"
import { Accounts } from "../auth/Accounts.ts"
import { ApiTokenRepo } from "../auth/ApiTokenRepo.ts"
import { Authenticator } from "../auth/Authenticator.ts"
import { PasswordHasher } from "../auth/PasswordHasher.ts"
import { SessionRepo } from "../auth/SessionRepo.ts"
import { UserMetrics } from "../auth/UserMetrics.ts"
import { UserRepo } from "../auth/UserRepo.ts"

export const AccountsLive = Layer.mergeAll(Accounts.layer, Authenticator.layer, UserMetrics, OwnAccount.layer, EmailChanges.layer, Leaving.layer, AccountExport.layer).pipe(
  Layer.provide(Ownership.layer),
  Layer.provide([ProfileRepo.layer, LeavingRepo.layer, ExportRepo.layer, EmailChangeRepo.layer]),
  Layer.provideMerge(Layer.mergeAll(UserRepo.layer, SessionRepo.layer, ApiTokenRepo.layer)),
  Layer.provide(PasswordHasher.layer)
)

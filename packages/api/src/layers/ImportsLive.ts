/** What comes in from elsewhere, and the inbox that it waits in. */
import { Layer } from "effect"
import { AccountImport } from "../account/AccountImport.ts"
import { Decisions } from "../imports/Decisions.ts"
import { ImportOutcomesLive } from "../imports/ImportOutcomes.ts"
import { ImportRepo } from "../imports/ImportRepo.ts"
import { Imports } from "../imports/Imports.ts"
import { Inbox } from "../imports/Inbox.ts"
import { ProposalMerge } from "../imports/ProposalMerge.ts"
import { ProposalRepo } from "../imports/ProposalRepo.ts"

export const ImportsLive = Layer.mergeAll(Imports.layer, Decisions.layer, ImportOutcomesLive, AccountImport.layer).pipe(
  Layer.provideMerge(Inbox.layer),
  Layer.provide(ProposalMerge.layer),
  Layer.provide([ImportRepo.layer, ProposalRepo.layer])
)

/** What goes to the workflows of n8n. */
import { Layer } from "effect"
import { N8nConnections } from "../n8n/N8nConnections.ts"
import { N8nOutcomeLive } from "../n8n/N8nOutcome.ts"
import { N8nRepo } from "../n8n/N8nRepo.ts"
import { N8nSyncs } from "../n8n/N8nSyncs.ts"

export const N8nLive = Layer.mergeAll(N8nConnections.layer, N8nSyncs.layer, N8nOutcomeLive).pipe(Layer.provide(N8nRepo.layer))

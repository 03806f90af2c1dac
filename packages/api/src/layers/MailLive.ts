/** Letters, what became of them, and who wants none. */
import { Effect, Layer } from "effect"
import { AppConfig } from "../AppConfig.ts"
import { Bounces } from "../mail/Bounces.ts"
import { Deliveries } from "../mail/Deliveries.ts"
import { MailCheck } from "../mail/MailCheck.ts"
import { MailOutcomeLive } from "../mail/MailOutcome.ts"
import { MailRepo } from "../mail/MailRepo.ts"
import { Mails } from "../mail/Mails.ts"
import { PublicUrl } from "../mail/PublicUrl.ts"
import { SuppressionRepo } from "../mail/SuppressionRepo.ts"
import { Unsubscribing } from "../mail/Unsubscribing.ts"

const publicUrl = Layer.effect(PublicUrl, Effect.map(AppConfig, (config) => config.publicUrl))

export const MailLive = Layer.mergeAll(Deliveries.layer, Bounces.layer, MailOutcomeLive, MailCheck).pipe(
  Layer.provideMerge(Layer.mergeAll(Mails.layer, Unsubscribing.layer)),
  Layer.provide(SuppressionRepo.layer),
  Layer.provideMerge(MailRepo.layer),
  Layer.provide(publicUrl)
)

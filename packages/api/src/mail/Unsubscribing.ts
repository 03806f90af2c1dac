/**
 * The link with which a recipient has no more of some e-mails, without logging in (RFC 8058): it names user and preference and is
 * signed, so that nothing has to be kept for it. It does nothing else.
 */
import { UserId } from "@englog/domain/Ids"
import { MailPreference } from "@englog/domain/mail/Mail"
import { Context, Effect, Layer, Option } from "effect"
import type { SqlError } from "effect/sql/SqlError"
import { timingSafeEqual } from "node:crypto"
import { FieldCipher } from "../crypto/FieldCipher.ts"
import { unsubscribeRoute } from "../http/RouteTable.ts"
import { MailRepo } from "./MailRepo.ts"
import { PublicUrl } from "./PublicUrl.ts"

export interface Unsubscription {
  readonly user: UserId
  readonly preference: MailPreference
}

export class Unsubscribing extends Context.Service<Unsubscribing, {
  /** Null where the server does not know its public address. */
  readonly linkFor: (user: UserId, preference: MailPreference) => string | null
  /** None where it is no link of ours. */
  readonly read: (token: string) => Option.Option<Unsubscription>
  readonly carryOut: (unsubscription: Unsubscription) => Effect.Effect<void, SqlError>
}>()("@englog/api/mail/Unsubscribing") {
  static readonly layer = Layer.effect(
    Unsubscribing,
    Effect.gen(function*() {
      const cipher = yield* FieldCipher
      const repo = yield* MailRepo
      const url = yield* PublicUrl
      const signatures = (signed: Uint8Array) => cipher.digests(signed, "mail.unsubscribe")

      return Unsubscribing.of({
        linkFor: (user, preference) =>
          Option.getOrNull(Option.map(url, (origin) => {
            const signed = Buffer.concat([Buffer.from(user.replaceAll("-", ""), "hex"), Buffer.from([preferences.indexOf(preference)])])
            return `${origin}${unsubscribeRoute.replace(":token", "")}${Buffer.concat([signed, signatures(signed)[0]]).toString("base64url")}`
          })),
        read: (token) => {
          const bytes = Buffer.from(token, "base64url")
          const preference = preferences[bytes[USER] ?? -1]
          if (bytes.length !== USER + 1 + SIGNATURE || preference === undefined) return Option.none()
          const [signed, signature] = [bytes.subarray(0, USER + 1), bytes.subarray(USER + 1)]
          if (!signatures(signed).some((ours) => timingSafeEqual(ours, signature))) return Option.none()
          const [, ...parts] = /^(.{8})(.{4})(.{4})(.{4})(.{12})$/.exec(signed.subarray(0, USER).toString("hex")) ?? []
          return Option.some({ user: UserId.make(parts.join("-")), preference })
        },
        carryOut: Effect.fn("Unsubscribing.carryOut")(({ preference, user }) => repo.switchOff(user, preference))
      })
    })
  )
}

/** Bytes. */
const USER = 16
const SIGNATURE = 32

/** By their place, which never changes. */
const preferences: ReadonlyArray<MailPreference> = MailPreference.literals

/** Everything of an account as one JSON object, written while it is read (GDPR articles 15 and 20). */
import type { UserId } from "@englog/domain/Ids"
import { DOCUMENT_VERSION } from "@englog/rpc/http/AccountDocument"
import type { ExportRecord } from "@englog/rpc/http/AccountView"
import type { CurrentUser } from "@englog/rpc/http/Authorization"
import { Context, DateTime, Effect, Layer, Stream } from "effect"
import type { SqlError } from "effect/sql/SqlError"
import { OpenStreams, type StreamCut } from "../http/OpenStreams.ts"
import { SecurityEvents } from "../security/SecurityEvents.ts"
import { ExportRepo } from "./ExportRepo.ts"
import { personalTables } from "./PersonalTables.ts"

type Caller = CurrentUser["Service"]

export class AccountExport extends Context.Service<AccountExport, {
  readonly records: (caller: Caller) => Stream.Stream<ExportRecord, SqlError | StreamCut>
  /** UTF-8. It ends with the last brace, or was cut short. */
  readonly document: (caller: Caller) => Stream.Stream<Uint8Array, SqlError | StreamCut>
}>()("@englog/api/account/AccountExport") {
  static readonly layer = Layer.effect(
    AccountExport,
    Effect.gen(function*() {
      const repo = yield* ExportRepo
      const streams = yield* OpenStreams
      const { record } = yield* SecurityEvents

      const recorded = <A, E>({ id }: Caller, stream: (user: UserId) => Stream.Stream<A, E>) =>
        Stream.unwrap(Effect.as(record({ event: "account_exported", user_id: id }), streams.keep(stream(id))))

      /** A member of the object: a list of the section's records. */
      const member = (user: UserId, of: typeof personalTables[number]) =>
        Stream.make(`,\n${JSON.stringify(of.section)}:[`).pipe(
          Stream.concat(Stream.map(Stream.zipWithIndex(repo.section(of, user)), ([{ record }, index]) => `${index === 0 ? "" : ","}\n${JSON.stringify(record)}`)),
          Stream.concat(Stream.make("]"))
        )

      return AccountExport.of({
        records: (caller) => recorded(caller, (user) => Stream.flatMap(Stream.fromIterable(personalTables), (of) => repo.section(of, user))),
        document: (caller) =>
          recorded(caller, (user) =>
            Stream.unwrap(Effect.map(DateTime.now, (now) => Stream.make(`{"version":${DOCUMENT_VERSION},"exported_at":"${DateTime.formatIso(now)}"`))).pipe(
              Stream.concat(Stream.flatMap(Stream.fromIterable(personalTables), (of) => member(user, of))),
              Stream.concat(Stream.make("}\n")),
              Stream.encodeText
            ))
      })
    })
  )
}

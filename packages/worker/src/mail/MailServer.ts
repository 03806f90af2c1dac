/**
 * The mail server, over a pool of SMTP connections (RFC 5321). What it answered is told apart by what may follow from it: only
 * where the message certainly was not taken may it be handed over again.
 */
import { NodeFileSystem } from "@effect/platform-node"
import { isAddressProblem } from "@englog/domain/mail/EnhancedStatus"
import { Cause, Context, Data, Effect, FileSystem, Layer, Option, Predicate, Redacted } from "effect"
import { createTransport } from "nodemailer"
import MailComposer from "nodemailer/lib/mail-composer"
import { Readable } from "node:stream"
import type { MailConfig } from "./MailConfig.ts"

export interface Message {
  readonly to: string
  readonly subject: string
  readonly html: string
  readonly text: string
  /** Left of the @. */
  readonly message_id: string
  readonly unsubscribe_url: string | null
}

/** `Refused`: for good. `Deferred`: certainly not taken, may be tried again. `Unanswered`: it had the message when it fell silent. */
export type Answer = Data.TaggedEnum<{
  Taken: { readonly code: number; readonly response: string }
  Refused: { readonly code: number; readonly response: string; readonly undeliverable: boolean }
  Deferred: { readonly code: number | null; readonly response: string }
  Unanswered: { readonly response: string }
}>
export const Answer = Data.taggedEnum<Answer>()

export class MailServer extends Context.Service<MailServer, {
  /** The bytes that will be sent: made before anybody is asked whether they may be. */
  readonly compose: (message: Message) => Effect.Effect<Uint8Array, Cause.UnknownError>
  readonly send: (message: Pick<Message, "to" | "message_id">, bytes: Uint8Array) => Effect.Effect<Answer>
}>()("@englog/worker/mail/MailServer") {
  static readonly layer = (config: MailConfig) => Layer.effect(MailServer, make(config)).pipe(Layer.provide(NodeFileSystem.layer))
}

const make = Effect.fnUntraced(function*(config: MailConfig) {
  const ca = yield* Option.match(config.caFile, {
    onNone: () => Effect.undefined,
    onSome: (file) => FileSystem.FileSystem.use((fs) => fs.readFileString(file))
  })
  const pool = yield* Effect.acquireRelease(Effect.sync(() => createTransport(optionsOf(config, ca))), (pool) => Effect.sync(() => pool.close()))
  // The library would read a stream that it is given in advance, and nobody could tell any more what was sent.
  pool.use("stream", (mail, next) => {
    const { raw } = mail.data
    if (raw instanceof Readable) mail.message.createReadStream = () => raw
    next()
  })

  const compose = ({ html, message_id, subject, text, to, unsubscribe_url }: Message) =>
    Effect.tryPromise(() =>
      new MailComposer({
        from: config.from,
        to: { name: "", address: to },
        subject,
        text,
        html,
        messageId: `<${message_id}@${config.from.address.slice(config.from.address.lastIndexOf("@") + 1)}>`,
        headers: { "Auto-Submitted": "auto-generated", ...unsubscribeHeaders(unsubscribe_url) },
        disableFileAccess: true,
        disableUrlAccess: true
      }).compile().build()
    )

  /** Whither the message comes back: the address alone tells which one it was, whatever a report leaves out. */
  const senderOf = (message_id: string) =>
    Option.match(config.returnPath, { onNone: () => config.from.address, onSome: (path) => path.replace("{id}", message_id) })

  const send = ({ message_id, to }: Pick<Message, "to" | "message_id">, bytes: Uint8Array) =>
    Effect.suspend(() => {
      let began = false
      // Read only once the server has said that it wants the message: until then nothing of it is on its way.
      const raw = new Readable({
        read() {
          began = true
          this.push(bytes)
          this.push(null)
        }
      })
      return Effect.tryPromise(() => pool.sendMail({ raw, envelope: { from: senderOf(message_id), to: [to] } })).pipe(
        Effect.map(({ response }): Answer => Answer.Taken({ code: codeIn(response) ?? 250, response: oneLine(response) })),
        Effect.catch(({ cause }) =>
          // Its words may name the address: they go to the message's owner only.
          Effect.as(Effect.logWarning("the mail server did not take a message", partsOf(cause)), answerOf(cause, began)))
      )
    })

  return MailServer.of({ compose, send })
})

const optionsOf = ({ credentials, host, maxConnections, port, rate, timeout, tls }: MailConfig, ca: string | undefined) => ({
  pool: true as const,
  host,
  port,
  secure: tls === "implicit",
  requireTLS: tls === "starttls",
  ignoreTLS: tls === "none",
  tls: { minVersion: "TLSv1.2" as const, ...(ca === undefined ? {} : { ca }) },
  ...Option.match(credentials, { onNone: () => ({}), onSome: ({ password, user }) => ({ auth: { user, pass: Redacted.value(password) } }) }),
  maxConnections,
  maxMessages: 100,
  rateLimit: rate,
  rateDelta: 1_000,
  // Whether a message may be handed over again is not the pool's to decide.
  maxRequeues: 0,
  idleTimeout: 30_000,
  connectionTimeout: timeout,
  greetingTimeout: timeout,
  socketTimeout: timeout,
  dnsTimeout: timeout,
  disableFileAccess: true,
  disableUrlAccess: true
})

/** RFC 8058: one click only over https, where nobody on the way learns the secret of the address. */
const unsubscribeHeaders = (url: string | null): Record<string, string> =>
  url === null ? {} : {
    "List-Unsubscribe": `<${url}>`,
    ...(url.startsWith("https://") ? { "List-Unsubscribe-Post": "List-Unsubscribe=One-Click" } : {})
  }

/** Of an error of the library: the reply's code, the library's name for it, and the command at which it happened. */
const partsOf = (error: unknown) => ({
  code: Predicate.hasProperty(error, "responseCode") && typeof error.responseCode === "number" ? error.responseCode : null,
  kind: Predicate.hasProperty(error, "code") ? String(error.code) : "no answer",
  command: Predicate.hasProperty(error, "command") ? String(error.command) : ""
})

/** By its reply where there is one; without one, by whether it had any of the message. */
const answerOf = (error: unknown, began: boolean): Answer => {
  const { code, command, kind } = partsOf(error)
  const response = oneLine(Predicate.hasProperty(error, "response") && typeof error.response === "string" ? error.response : "")
  const aboutMessage = kind === "EENVELOPE" || kind === "EMESSAGE"
  const reason = reasons.get(kind)
  if (!began && reason !== undefined) return Answer.Deferred({ code: null, response: reason })
  if (code !== null && code >= 500 && aboutMessage && code !== 503) {
    return Answer.Refused({ code, response, undeliverable: command === "RCPT TO" && isUndeliverable(response) })
  }
  if (code !== null && (aboutMessage || !began)) return Answer.Deferred({ code, response })
  if (!began) return Answer.Deferred({ code: null, response: `it cannot be reached (${kind})` })
  return Answer.Unanswered({ response: `it fell silent after it had the message (${kind})` })
}

/** Without an enhanced code: the address is wrong. */
const isUndeliverable = (response: string): boolean => {
  const enhanced = /^\d{3}[ -](\d\.\d{1,3}\.\d{1,3})/.exec(response)?.[1]
  return enhanced === undefined || isAddressProblem(enhanced)
}

const reasons = new Map([
  ["EAUTH", "it refuses the log-in of this installation"],
  ["ETLS", "it offers no encryption that can be trusted"],
  ["EDNS", "its name cannot be resolved"],
  ["ETIMEDOUT", "it does not answer"]
])

const codeIn = (response: string): number | undefined => {
  const code = /^(\d{3})/.exec(response)?.[1]
  return code === undefined ? undefined : Number(code)
}

const oneLine = (text: string): string => text.toWellFormed().replaceAll(/[\u0000-\u001F\u007F]+/g, " ").trim().slice(0, 800)

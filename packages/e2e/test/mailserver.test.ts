/** How the worker speaks with a mail server: every way in which that one can answer, or not. */
import { NodeFileSystem } from "@effect/platform-node"
import { assert, layer } from "@effect/vitest"
import { renderMail, sampleMails } from "@englog/domain/mail/Templates"
import type { MailConfig } from "@englog/worker/mail/MailConfig"
import { MailServer } from "@englog/worker/mail/MailServer"
import { Context, Effect, FileSystem, Layer, Option, Redacted } from "effect"
import * as Certificate from "../../../scripts/certs/Certificate.ts"
import { type Catcher, type CatcherOptions, type Manner, startCatcher, startMute } from "../src/MailCatcher.ts"

class Certificates extends Context.Service<Certificates, {
  readonly server: { readonly key: string; readonly cert: string }
  readonly caFile: string
}>()("@englog/e2e/test/mail/Certificates") {
  static readonly layer = Layer.effect(Certificates, Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const dir = yield* fs.makeTempDirectoryScoped({ prefix: "englog-mail-" })
    const valid = yield* Certificate.fromNowFor(1)
    const ca = yield* Certificate.authority("ca", valid)
    yield* fs.writeFileString(`${dir}/ca.crt`, ca.cert)
    const server = yield* Certificate.sign(ca, { commonName: "localhost", names: ["localhost"], use: "server", ...valid })
    return { server, caFile: `${dir}/ca.crt` }
  })).pipe(Layer.provide(NodeFileSystem.layer), Layer.orDie)
}

const configOf = (port: number, more: Partial<MailConfig> = {}): MailConfig => ({
  host: "localhost",
  port,
  tls: "none",
  credentials: Option.none(),
  caFile: Option.none(),
  from: { name: "EngLog", address: "englog@mail.example.com" },
  returnPath: Option.none(),
  maxConnections: 2,
  rate: 1_000,
  timeout: 2_000,
  ...more
})

const message = { to: "ada@example.com", message_id: "5f3a7c58", unsubscribe_url: "https://englog.example.com/v1/mail/unsubscribe/abc", ...renderMail(sampleMails.weekly_report) }

/** Hands over one message. */
const send = (config: MailConfig, parts: Partial<typeof message> = {}) =>
  Effect.gen(function*() {
    const server = yield* MailServer
    return yield* server.send({ ...message, ...parts }, yield* server.compose({ ...message, ...parts }))
  }).pipe(Effect.provide(MailServer.layer(config)))

const answerTo = Effect.fnUntraced(function*(manner: Manner, options: CatcherOptions = {}) {
  const catcher = yield* startCatcher(options)
  yield* catcher.behaves(manner)
  return { answer: yield* send(configOf(catcher.port)), catcher }
})

const refused = (at: "RCPT" | "DATA", code: number, text: string) => Effect.map(answerTo({ at, code, text }), ({ answer }) => answer)

layer(Certificates.layer, { excludeTestServices: true })("a mail server", (it) => {
  it.effect("gets the message as it was meant, with the headers of automatic mail", () => Effect.gen(function*() {
    const { answer, catcher } = yield* answerTo("takes")
    assert.deepInclude(answer, { _tag: "Taken", code: 250 })
    const { from, mail, raw, to } = yield* catcher.next
    assert.deepStrictEqual([from, to], ["englog@mail.example.com", ["ada@example.com"]])
    assert.strictEqual(mail.subject, message.subject)
    assert.strictEqual(mail.messageId, "<5f3a7c58@mail.example.com>")
    assert.strictEqual(mail.text?.replaceAll("\r\n", "\n").trim(), message.text.trim())
    assert.strictEqual(mail.html?.replaceAll("\r\n", "\n").trim(), message.html.trim())
    assert.deepInclude(mail.from, { name: "EngLog", address: "englog@mail.example.com" })
    const header = (name: string) => mail.headers.find(({ key }) => key === name)?.value
    assert.strictEqual(header("auto-submitted"), "auto-generated")
    assert.strictEqual(header("list-unsubscribe"), `<${message.unsubscribe_url}>`)
    assert.strictEqual(header("list-unsubscribe-post"), "List-Unsubscribe=One-Click")
    assert.notMatch(raw.replaceAll("\r\n", ""), /[\u0080-\uFFFF]/, "8 bits would need a server that takes them")
  }))

  it.effect("gets a sender of its own for each message where one is set, and the same one in the message", () => Effect.gen(function*() {
    const catcher = yield* startCatcher()
    const config = configOf(catcher.port, { returnPath: Option.some("bounces+{id}@mail.example.com") })
    for (const message_id of ["5f3a7c58-8a43-4e0e-9a37-5a3f8d6f1c20", "6f3a7c58-8a43-4e0e-9a37-5a3f8d6f1c21"]) {
      assert.deepInclude(yield* send(config, { message_id }), { _tag: "Taken" })
      const { from, mail } = yield* catcher.next
      assert.strictEqual(from, `bounces+${message_id}@mail.example.com`)
      assert.deepInclude(mail.from, { name: "EngLog", address: "englog@mail.example.com" })
    }
  }))

  it.effect("is told of no one-click address that others on the way could read", () => Effect.gen(function*() {
    const catcher = yield* startCatcher()
    yield* send(configOf(catcher.port), { unsubscribe_url: "http://englog.example.com/u" })
    const { mail } = yield* catcher.next
    assert.deepStrictEqual(mail.headers.filter(({ key }) => key.startsWith("list-unsubscribe")).map(({ key }) => key), ["list-unsubscribe"])
  }))

  it.effect("never gets a header that a text has smuggled in", () => Effect.gen(function*() {
    const catcher = yield* startCatcher()
    const smuggled = "Hello\r\nBcc: eve@example.com\r\n\r\nBody"
    yield* send(configOf(catcher.port), { subject: smuggled, message_id: "id", text: "a\r\n.\r\nMAIL FROM:<x@y>\r\n" })
    const { mail, to } = yield* catcher.next
    assert.deepStrictEqual(to, ["ada@example.com"])
    assert.isUndefined(mail.bcc)
    assert.include(mail.text ?? "", "MAIL FROM:<x@y>")
    assert.strictEqual(catcher.seen.messages, 1)
  }))

  it.effect("that refuses for now is tried again, whatever it says and when", () => Effect.gen(function*() {
    assert.deepStrictEqual({ ...(yield* refused("RCPT", 451, "4.7.1 greylisted, come back later")) }, { _tag: "Deferred", code: 451, response: "451 4.7.1 greylisted, come back later" })
    assert.deepInclude(yield* refused("RCPT", 421, "4.3.2 shutting down"), { _tag: "Deferred", code: 421 })
    assert.deepInclude(yield* refused("DATA", 452, "4.3.1 disk full"), { _tag: "Deferred", code: 452 })
  }))

  it.effect("that refuses for good is believed, and an address only where it says that there is none", () => Effect.gen(function*() {
    const undeliverable = (answer: { readonly _tag: string; readonly undeliverable?: boolean }) => `${answer._tag} ${answer.undeliverable}`
    assert.strictEqual(undeliverable(yield* refused("RCPT", 550, "5.1.1 no such user")), "Refused true")
    assert.strictEqual(undeliverable(yield* refused("RCPT", 550, "no such user")), "Refused true")
    assert.strictEqual(undeliverable(yield* refused("RCPT", 552, "5.2.2 mailbox full")), "Refused false")
    assert.strictEqual(undeliverable(yield* refused("RCPT", 550, "5.7.1 we do not like you")), "Refused false")
    assert.strictEqual(undeliverable(yield* refused("DATA", 554, "5.6.0 this looks like spam")), "Refused false")
  }))

  it.effect("that goes away with the message leaves it unknown, and the pool does not send it again", () => Effect.gen(function*() {
    const { answer, catcher } = yield* answerTo("drops")
    assert.strictEqual(answer._tag, "Unanswered")
    assert.strictEqual(catcher.seen.messages, 1)
    assert.strictEqual(yield* catcher.waiting, 0)
  }))

  it.effect("that does not answer has not got it", () => Effect.gen(function*() {
    const { answer, catcher } = yield* answerTo("holds")
    assert.deepInclude(answer, { _tag: "Deferred", code: null })
    assert.strictEqual(catcher.seen.messages, 0)
    const mute = yield* startMute
    assert.deepInclude(yield* send(configOf(mute, { timeout: 1_000 })), { _tag: "Deferred", code: null })
    const closed = yield* Effect.scoped(startMute)
    assert.deepInclude(yield* send(configOf(closed)), { _tag: "Deferred", code: null })
  }))

  it.effect("gets nothing without encryption where that is demanded", () => Effect.gen(function*() {
    const { caFile, server } = yield* Certificates
    const plain = yield* startCatcher()
    assert.deepInclude(yield* send(configOf(plain.port, { tls: "starttls" })), { _tag: "Deferred", code: null, response: "it offers no encryption that can be trusted" })
    assert.strictEqual(plain.seen.recipients, 0)
    const encrypted = yield* startCatcher({ tls: server })
    assert.deepInclude(yield* send(configOf(encrypted.port, { tls: "starttls" })), { _tag: "Deferred" }, "its authority is not known")
    assert.strictEqual(encrypted.seen.recipients, 0)
    assert.deepInclude(yield* send(configOf(encrypted.port, { tls: "starttls", caFile: Option.some(caFile) })), { _tag: "Taken" })
    assert.isTrue((yield* encrypted.next).secure)
    const implicit = yield* startCatcher({ tls: { ...server, implicit: true } })
    assert.deepInclude(yield* send(configOf(implicit.port, { tls: "implicit", caFile: Option.some(caFile) })), { _tag: "Taken" })
    assert.isTrue((yield* implicit.next).secure)
  }))

  it.effect("gets a log-in, and one that it refuses is no fault of the address", () => Effect.gen(function*() {
    const { caFile, server } = yield* Certificates
    const credentials = { user: "englog", password: "p@ss:word/1" }
    const catcher: Catcher = yield* startCatcher({ tls: server, credentials })
    const secured = { tls: "starttls" as const, caFile: Option.some(caFile) }
    const as = (password: string) => send(configOf(catcher.port, { ...secured, credentials: Option.some({ user: "englog", password: Redacted.make(password) }) }))
    assert.deepInclude(yield* as(credentials.password), { _tag: "Taken" })
    assert.strictEqual((yield* catcher.next).user, "englog")
    assert.deepInclude(yield* as("wrong"), { _tag: "Deferred", response: "it refuses the log-in of this installation" })
  }))
})

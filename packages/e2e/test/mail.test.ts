/** E-mail between whole processes: from what causes it to the mailbox, and what must not happen on the way. */
import { NodeFileSystem } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { MailDelivery } from "@englog/domain/mail/Delivery"
import { Effect, Layer, Schedule, Schema } from "effect"
import { FetchHttpClient } from "effect/http"
import { grantAdmin } from "../src/Administrator.ts"
import { Installation } from "../src/Installation.ts"
import { type Catcher, startCatcher } from "../src/MailCatcher.ts"
import { ask, register } from "../src/Person.ts"

const world = () => Layer.mergeAll(Installation.layer(), FetchHttpClient.layer, NodeFileSystem.layer)

const mailEnv = ({ port }: Catcher) => ({ SMTP_URL: `smtp://127.0.0.1:${port}`, SMTP_PLAIN: "true", MAIL_FROM: "EngLog <englog@example.com>" })

const decode = Schema.decodeEffect(Schema.fromJsonString(Schema.Struct({ items: Schema.Array(MailDelivery) })))

const deliveries = Effect.fnUntraced(function*(url: string, token: string) {
  const { text } = yield* ask("GET", `${url}/v1/mail/deliveries`, { token })
  return (yield* decode(text)).items
})

/** The only e-mail of somebody, once it is in this state. */
const delivery = (url: string, token: string, status: MailDelivery["status"]) =>
  deliveries(url, token).pipe(
    Effect.repeat({ until: ([first]) => first?.status === status, schedule: Schedule.spaced("50 millis") }),
    Effect.timeoutOrElse({
      duration: "40 seconds",
      orElse: () => Effect.flatMap(deliveries(url, token), (items) => Effect.die(new Error(`not ${status}: ${JSON.stringify(items)}`)))
    }),
    Effect.map(([first]) => first)
  )

describe.concurrent("e-mail", () => {
  it.live("welcomes whoever registers, once", () =>
    Effect.gen(function*() {
      const installation = yield* Installation
      const catcher = yield* startCatcher()
      const api = yield* installation.startApi({ PUBLIC_URL: "https://englog.example.com/" })
      yield* installation.startWorker("postman", mailEnv(catcher))
      const ada = yield* register(api.url, "ada@example.com")
      const { mail, to } = yield* catcher.next
      assert.deepStrictEqual(to, ["ada@example.com"])
      assert.strictEqual(mail.subject, "Welcome to EngLog")
      assert.include(mail.html, "https://englog.example.com")
      const sent = yield* delivery(api.url, ada.token, "sent")
      assert.deepInclude(sent, { template: "welcome", to: "ada@example.com", smtp_code: 250 })
      assert.strictEqual(mail.messageId, `<${sent?.id}@example.com>`)
      assert.strictEqual(catcher.seen.messages, 1)
    }).pipe(Effect.scoped, Effect.provide(world())))

  it.live("comes back to an address of its own, by which a report that quotes nothing of it finds it", () =>
    Effect.gen(function*() {
      const installation = yield* Installation
      const catcher = yield* startCatcher()
      const api = yield* installation.startApi()
      yield* installation.startWorker("postman", { ...mailEnv(catcher), MAIL_RETURN_PATH: "bounces+{id}@mail.example.com" })
      const ada = yield* register(api.url, "ada@example.com")
      const { from } = yield* catcher.next
      const sent = yield* delivery(api.url, ada.token, "sent")
      assert.strictEqual(from, `bounces+${sent?.id}@mail.example.com`)
      yield* grantAdmin(installation.dataDir, "ada@example.com")
      const report = `Return-Path: <>\r\nTo: ${from}\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n--b\r\n`
        + "Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example.com\r\n\r\n"
        + "Final-Recipient: rfc822; ada@example.com\r\nAction: failed\r\nStatus: 5.2.2\r\nDiagnostic-Code: smtp; 552 5.2.2 mailbox full\r\n\r\n--b--\r\n"
      const recorded = yield* ask("POST", `${api.url}/v1/mail/bounces`, { token: ada.token, raw: { type: "message/rfc822", text: report } }).pipe(
        // Who somebody is, is known for three seconds.
        Effect.repeat({ until: ({ status }) => status !== 403, schedule: Schedule.spaced("250 millis") })
      )
      assert.strictEqual(recorded.status, 200, recorded.text)
      const bounced = yield* delivery(api.url, ada.token, "bounced")
      assert.deepStrictEqual([bounced?.id, bounced?.smtp_code, bounced?.response], [sent?.id, 552, "552 5.2.2 mailbox full"])
    }).pipe(Effect.scoped, Effect.provide(world())))

  it.live("of a worker that was killed while it was sending is unknown, and not sent again but by wish", () =>
    Effect.gen(function*() {
      const installation = yield* Installation
      const catcher = yield* startCatcher()
      yield* catcher.behaves("holds")
      const api = yield* installation.startApi()
      const first = yield* installation.startWorker("first", mailEnv(catcher))
      const ada = yield* register(api.url, "ada@example.com")
      yield* catcher.holding
      assert.strictEqual((yield* deliveries(api.url, ada.token))[0]?.status, "sending")
      assert.strictEqual(yield* first.end("SIGKILL"), 137)
      yield* installation.startWorker("second", mailEnv(catcher))
      const unknown = yield* delivery(api.url, ada.token, "unknown")
      const task = yield* ada.ended(unknown?.task_id ?? (yield* Effect.die("no task")))
      assert.strictEqual(task.worker_id, "second")
      assert.deepStrictEqual(catcher.seen, { recipients: 1, messages: 0 })

      const again = yield* ask("POST", `${api.url}/v1/mail/deliveries/${unknown?.id}/resend`, { token: ada.token })
      assert.strictEqual(again.status, 202, again.text)
      const { mail } = yield* catcher.next
      assert.strictEqual(mail.messageId, `<${unknown?.id}@example.com>`)
      yield* delivery(api.url, ada.token, "sent")
    }).pipe(Effect.scoped, Effect.provide(world())))

  it.live("is recorded as not configured where no worker has a mail server, and health says so", () =>
    Effect.gen(function*() {
      const installation = yield* Installation
      const api = yield* installation.startApi()
      yield* installation.startWorker("plain")
      const ada = yield* register(api.url, "ada@example.com")
      const [welcome] = yield* deliveries(api.url, ada.token)
      assert.deepInclude(welcome, { template: "welcome", status: "not_configured", task_id: null })
      assert.include((yield* ask("GET", `${api.url}/health`)).text, "no e-mail is sent: SMTP_URL is set on no worker")
    }).pipe(Effect.scoped, Effect.provide(world())))
})

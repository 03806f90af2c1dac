import { assert, layer } from "@effect/vitest"
import { notTaken } from "@englog/domain/tasks/EmailNotification"
import type { HeldTask } from "@englog/rpc/grpc/WorkerMessages"
import { Effect, Layer, Schema } from "effect"
import { SqlClient } from "effect/sql"
import { MAX_PER_DAY } from "../../src/mail/Mails.ts"
import { MailRepo } from "../../src/mail/MailRepo.ts"
import { password, TestApi } from "../http/TestApi.ts"
import { each, type Member, member } from "../support/Members.ts"
import { join, refusal } from "../support/ProtocolTwoWorker.ts"
import { eventually, grpcAddress, wholeApi } from "../support/WholeApi.ts"
import { FieldCipher } from "../../src/crypto/FieldCipher.ts"
import { encryptionKeys } from "../support/QueueEngine.ts"

const kind = "EMAIL_NOTIFICATION"
let postmen = 0
/** Takes one e-mail task at a time and says of it what the test wants. */
const postman = Effect.flatMap(grpcAddress, (address) => join(address, { worker_id: `postman-${++postmen}`, kinds: [kind], slots: 50 }))

const deliveries = (who: Member) => who.get("/v1/mail/deliveries")
const newest = Effect.fnUntraced(function*(who: Member) {
  const answer = yield* deliveries(who)
  return { id: String(answer.at("items", 0, "id")), status: answer.at("items", 0, "status"), body: answer.at("items", 0) }
})
const statusIs = (who: Member, status: string) => eventually(newest(who), (delivery) => delivery.status === status)

/** The task of somebody's newest e-mail, once the worker has it. */
const take = Effect.fnUntraced(function*(worker: Effect.Success<typeof postman>, who: Member) {
  return yield* Effect.repeat(worker.next, { until: ({ task_id }) => task_id.startsWith(`mail_${who.id}`) })
})

const decodeLetter = Schema.decodeUnknownEffect(Schema.fromJsonString(Schema.Struct({
  to: Schema.String, message_id: Schema.String, mail: Schema.Record(Schema.String, Schema.Json), unsubscribe_url: Schema.NullOr(Schema.String)
})))

const taken = (response = "250 2.0.0 OK") => JSON.stringify({ status: "sent", smtp_code: 250, response, undeliverable: false })
const bounced = (undeliverable: boolean) => JSON.stringify({ status: "bounced", smtp_code: 550, response: "550 5.1.1 no such user", undeliverable })

layer(wholeApi({ publicUrl: "https://englog.example.com" }), { excludeTestServices: true, timeout: "60 seconds" })("e-mail", (it) => {
  it.effect("where no worker can send any, is recorded and keeps nobody from anything", () => Effect.gen(function*() {
    const ada = yield* member("unconfigured@example.com")
    assert.deepInclude((yield* newest(ada)).body, { template: "welcome", status: "not_configured", to: ada.email, task_id: null })
    const resent = yield* ada.post(`/v1/mail/deliveries/${(yield* newest(ada)).id}/resend`)
    assert.strictEqual(resent.status, 409)
    assert.include((yield* ada.get("/health")).text, "no e-mail is sent")
  }))

  it.effect("is welcome, and its worker learns address and words only while it holds the task", () => Effect.gen(function*() {
    const worker = yield* postman
    const ada = yield* member("welcome@example.com")
    const task = yield* take(worker, ada)
    assert.notInclude(task.payload, "welcome@example.com")
    const letter = yield* decodeLetter(yield* worker.data(task))
    assert.deepInclude(letter, { to: ada.email, message_id: (yield* newest(ada)).id, unsubscribe_url: null })
    assert.deepStrictEqual(letter.mail, { template: "welcome", first_name: "Ada", url: "https://englog.example.com" })
    assert.strictEqual((yield* newest(ada)).status, "queued")
    assert.deepStrictEqual(yield* worker.begin(task), { granted: true, reason: "" })
    assert.strictEqual((yield* newest(ada)).status, "sending")
    yield* worker.complete(task, taken())
    const sent = yield* statusIs(ada, "sent")
    assert.deepInclude(sent.body, { smtp_code: 250, response: "250 2.0.0 OK" })
    const [stored] = yield* SqlClient.SqlClient.use((sql) => sql`SELECT address, letter, response FROM mail_deliveries WHERE id = ${sent.id}`)
    assert.match(String(stored?.["address"]), /^v2:/)
    assert.match(String(stored?.["response"]), /^v2:/)
    assert.isNull(stored?.["letter"], "its text is gone once it was sent")
    assert.strictEqual(yield* refusal(worker.begin(task)), "FAILED_PRECONDITION")
    yield* worker.leave
  }))

  it.effect("is granted to one attempt, which may ask twice, and withheld from the next", () => Effect.gen(function*() {
    const first = yield* postman
    const ada = yield* member("granted@example.com")
    const task = yield* take(first, ada)
    assert.isTrue((yield* first.begin(task)).granted)
    assert.isTrue((yield* first.begin(task)).granted, "its answer may have been lost")
    yield* first.leave
    const second = yield* postman
    const again = yield* take(second, ada)
    assert.strictEqual(again.attempt, 2)
    const permission = yield* second.begin(again)
    assert.deepStrictEqual(permission, { granted: false, reason: "an earlier attempt may have sent it" })
    assert.strictEqual((yield* newest(ada)).status, "unknown")
    assert.isFalse((yield* second.begin(again)).granted)
    yield* second.complete(again, JSON.stringify({ status: "withheld", smtp_code: null, response: permission.reason, undeliverable: false }))
    yield* eventually(ada.get(`/v1/tasks/${again.task_id}`), (view) => view.at("state") === "completed")
    assert.strictEqual((yield* newest(ada)).status, "unknown")
    yield* second.leave
  }))

  it.effect("of an attempt that took nothing with it is given to the next", () => Effect.gen(function*() {
    const first = yield* postman
    const ada = yield* member("handed-back@example.com")
    yield* take(first, ada)
    yield* first.leave
    const second = yield* postman
    assert.isTrue((yield* second.begin(yield* take(second, ada))).granted, "the first one never asked")
    yield* second.leave
  }))

  it.effect("that the mail server does not take for now waits for another attempt", () => Effect.gen(function*() {
    const worker = yield* postman
    const ada = yield* member("greylisted@example.com")
    const task = yield* take(worker, ada)
    yield* worker.begin(task)
    yield* worker.report(task, { _tag: "Failed", error: notTaken(451, "451 4.7.1 come back later"), retryable: true })
    const deferred = yield* statusIs(ada, "queued")
    assert.deepInclude(deferred.body, { smtp_code: 451, response: "451 4.7.1 come back later" })
    yield* SqlClient.SqlClient.use((sql) => sql`UPDATE task_queue SET run_at = now() WHERE kind = ${kind} AND state = 'queued'`)
    const again = yield* take(worker, ada)
    assert.strictEqual(again.attempt, 2)
    assert.isTrue((yield* worker.begin(again)).granted, "the mail server did not have it")
    yield* worker.complete(again, taken())
    yield* statusIs(ada, "sent")
    yield* worker.leave
  }))

  it.effect("whose worker failed after it was granted, with no word about the mail server, is unknown", () => Effect.gen(function*() {
    const worker = yield* postman
    const ada = yield* member("crashed-handler@example.com")
    const task = yield* take(worker, ada)
    yield* worker.begin(task)
    yield* worker.report(task, { _tag: "Failed", error: "the handler failed unexpectedly", retryable: true })
    yield* statusIs(ada, "unknown")
    yield* worker.leave
  }))

  it.effect("whose task is cancelled is failed, or unknown where it had been granted", () => Effect.gen(function*() {
    const worker = yield* postman
    const [ada, bob] = [yield* member("cancelled@example.com"), yield* member("cancelled-late@example.com")]
    const cancel = (who: Member, task: HeldTask) =>
      Effect.gen(function*() {
        yield* who.post(`/v1/tasks/${task.task_id}/cancel`)
        yield* worker.command
        yield* worker.report(task, { _tag: "Cancelled", error: "cancelled" })
      })
    const task = yield* take(worker, ada)
    yield* cancel(ada, task)
    yield* statusIs(ada, "failed")
    const late = yield* take(worker, bob)
    yield* worker.begin(late)
    yield* cancel(bob, late)
    yield* statusIs(bob, "unknown")
    assert.deepStrictEqual(each(yield* bob.get("/v1/mail/deliveries?status=unknown"), "status"), ["unknown"])
    assert.deepStrictEqual(each(yield* bob.get("/v1/mail/deliveries?status=sending"), "status"), [])
    yield* worker.leave
  }))

  it.effect("that bounces marks the address, until somebody wants it sent again", () => Effect.gen(function*() {
    const worker = yield* postman
    const ada = yield* member("bounced@example.com")
    const task = yield* take(worker, ada)
    yield* worker.begin(task)
    yield* worker.complete(task, bounced(true))
    const { id } = yield* statusIs(ada, "bounced")
    const changed = yield* ada.put("/v1/users/password", { current_password: password, new_password: "another horse battery" })
    assert.strictEqual(changed.status, 204)
    assert.deepInclude((yield* newest(ada)).body, { template: "password_changed", status: "failed", response: "a mail server has said that there is no such address" })
    const resent = yield* ada.post(`/v1/mail/deliveries/${id}/resend`)
    assert.strictEqual(resent.status, 202, resent.text)
    const again = yield* take(worker, ada)
    assert.strictEqual((yield* decodeLetter(yield* worker.data(again))).message_id, id)
    assert.isTrue((yield* worker.begin(again)).granted)
    yield* worker.complete(again, taken())
    yield* eventually(ada.get(`/v1/mail/deliveries/${id}`), (one) => one.at("status") === "sent")
    assert.include((yield* ada.post(`/v1/mail/deliveries/${id}/resend`)).error, "status: an e-mail that is sent cannot be sent again")
    yield* worker.leave
  }))

  it.effect("that a mail server took and could not deliver is bounced by its report, and nothing more goes to the address until its owner wants it", () => Effect.gen(function*() {
    const worker = yield* postman
    const [ada, eve, root] = [yield* member("late-bounce@example.com"), yield* member("late-eve@example.com"), yield* member("late-root@example.com")]
    yield* SqlClient.SqlClient.use((sql) => sql`UPDATE users SET is_admin = true WHERE id = ${root.id}`)
    const { ask } = yield* TestApi
    const task = yield* take(worker, ada)
    yield* worker.begin(task)
    yield* worker.complete(task, taken())
    const { id } = yield* statusIs(ada, "sent")
    const report = (status: string, action = "failed") => `Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n--b\r\n\r\nSorry.\r\n`
      + `--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example.com\r\n\r\nFinal-Recipient: rfc822; ${ada.email}\r\nAction: ${action}\r\n`
      + `Status: ${status}\r\nDiagnostic-Code: smtp; 550 ${status} User unknown\r\n\r\n--b\r\nContent-Type: text/rfc822-headers\r\n\r\nMessage-ID: <${id}@example.com>\r\n\r\n--b--\r\n`
    for (const refused of [yield* eve.post("/v1/mail/bounces", { message: report("5.1.1") }), yield* ada.post("/v1/mail/bounces", { message: report("5.1.1") })]) {
      assert.strictEqual(refused.status, 403)
    }
    assert.strictEqual((yield* eve.post("/v1/users/tokens", { name: "pipe", scopes: ["bounces"] })).error, "scopes: only an administrator may have the scope bounces")
    const made = yield* root.post("/v1/users/tokens", { name: "pipe", scopes: ["bounces"] })
    const pipe = (raw: string, type = "message/rfc822") => ask("POST", "/v1/mail/bounces", { token: String(made.at("token")), raw, headers: { "content-type": type } })
    assert.strictEqual((yield* ask("GET", "/v1/mail/deliveries?everybody=true", { token: String(made.at("token")) })).status, 403, "the pipe's token can do nothing else")
    assert.deepInclude((yield* pipe(report("4.4.1", "delayed"))).body, { delivery_id: id, action: "delayed", recorded: false })
    assert.strictEqual((yield* newest(ada)).status, "sent")
    const bounce = yield* pipe(report("5.1.1"))
    assert.deepStrictEqual([bounce.status, bounce.body], [200, { delivery_id: id, action: "failed", status_code: "5.1.1", recorded: true, suppressed: true }])
    assert.deepInclude((yield* newest(ada)).body, { status: "bounced", smtp_code: 550, status_code: "5.1.1", response: "550 5.1.1 User unknown" })
    assert.isNotNull((yield* ada.get(`/v1/mail/deliveries/${id}`)).at("sent_at"), "it was sent before")
    yield* ada.put("/v1/users/password", { current_password: password, new_password: "another horse battery" })
    assert.deepInclude((yield* newest(ada)).body, { status: "failed", response: "a mail server has said that there is no such address" })
    const [own, foreign, all] = [yield* ada.get("/v1/mail/suppressions"), yield* eve.get("/v1/mail/suppressions"), yield* root.get("/v1/mail/suppressions?everybody=true")]
    assert.deepInclude(own.at("items", 0), { address: ada.email, smtp_code: 550, status_code: "5.1.1" })
    assert.deepStrictEqual(foreign.body, { items: [], next_cursor: null })
    assert.strictEqual((yield* eve.get("/v1/mail/suppressions?everybody=true")).status, 403)
    assert.include(JSON.stringify(all.body), ada.email)
    const suppression = `/v1/mail/suppressions/${String(own.at("items", 0, "id"))}`
    assert.strictEqual((yield* ask("DELETE", suppression, { token: eve.token })).status, 404)
    assert.strictEqual((yield* ask("DELETE", suppression, { token: ada.token })).status, 204)
    assert.deepInclude((yield* pipe(report("5.1.1"))).body, { delivery_id: id, recorded: false, suppressed: false }, "the same report once more changes nothing")
    assert.deepStrictEqual((yield* ada.get("/v1/mail/suppressions")).body, { items: [], next_cursor: null })
    assert.deepInclude((yield* root.post("/v1/mail/bounces", { message: report("5.1.1").replace(id, "5f3a7c58-8a43-4e0e-9a37-5a3f8d6f1c20") })).body, { delivery_id: null, recorded: false })
    assert.strictEqual((yield* pipe("Subject: hello\r\n\r\nI am on holiday.")).error, "message: is no delivery status notification (RFC 3464)")
    assert.strictEqual((yield* pipe("hello", "text/plain")).error, "content-type: text/plain is not supported here; send application/json or message/rfc822")
    yield* worker.leave
  }))

  it.effect("that comes back without a word of its own is found by the address that it came back to", () => Effect.gen(function*() {
    const worker = yield* postman
    const [ada, root] = [yield* member("return-ada@example.com"), yield* member("return-root@example.com")]
    yield* SqlClient.SqlClient.use((sql) => sql`UPDATE users SET is_admin = true WHERE id = ${root.id}`)
    const task = yield* take(worker, ada)
    yield* worker.begin(task)
    yield* worker.complete(task, taken())
    const { id } = yield* statusIs(ada, "sent")
    const report = (to: string) => `To: ${to}\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n--b\r\n`
      + `Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example.com\r\n\r\nFinal-Recipient: rfc822; forwarded@elsewhere.example\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n--b--\r\n`
    const handIn = (to: string) => root.post("/v1/mail/bounces", { message: report(to) })
    assert.deepInclude((yield* handIn("englog@example.com")).body, { delivery_id: null, recorded: false })
    assert.deepInclude((yield* handIn("bounces+5f3a7c58-8a43-4e0e-9a37-5a3f8d6f1c20@example.com")).body, { delivery_id: null, recorded: false })
    assert.deepInclude((yield* handIn(`<bounces+${id}@example.com>`)).body, { delivery_id: id, recorded: true, suppressed: true })
    assert.deepInclude((yield* newest(ada)).body, { status: "bounced", status_code: "5.1.1" })
    yield* worker.leave
  }))

  it.effect("belongs to whoever caused it; administrators see all", () => Effect.gen(function*() {
    const [ada, eve, root] = [yield* member("mail-ada@example.com"), yield* member("mail-eve@example.com"), yield* member("mail-root@example.com")]
    yield* SqlClient.SqlClient.use((sql) => sql`UPDATE users SET is_admin = true WHERE id = ${root.id}`)
    const { id } = yield* newest(ada)
    const forbidden = [yield* eve.get(`/v1/mail/deliveries/${id}`), yield* eve.post(`/v1/mail/deliveries/${id}/resend`)]
    assert.deepStrictEqual(forbidden.map(({ status }) => status), [404, 404])
    assert.deepStrictEqual(each(yield* deliveries(eve), "to"), [eve.email])
    assert.strictEqual((yield* eve.get("/v1/mail/deliveries?everybody=true")).status, 403)
    assert.includeMembers([...each(yield* root.get("/v1/mail/deliveries?everybody=true&limit=200"), "to")], [ada.email, eve.email])
    assert.strictEqual((yield* root.get(`/v1/mail/deliveries/${id}`)).at("to"), ada.email)
    assert.strictEqual((yield* eve.get("/v1/admin/mail/templates")).status, 403)
    assert.strictEqual((yield* eve.post("/v1/admin/mail/test")).status, 403)
    const templates = each(yield* root.get("/v1/admin/mail/templates"), "template")
    assert.includeMembers([...templates], ["welcome", "team_invitation", "report_ready", "weekly_report", "deletion_scheduled", "password_changed"])
    assert.include(String((yield* root.get("/v1/admin/mail/templates/welcome")).at("html")), "Ada")
    assert.strictEqual((yield* root.get("/v1/admin/mail/templates/nothing")).status, 404)
    const test = yield* root.post("/v1/admin/mail/test")
    assert.strictEqual(test.status, 202)
    assert.deepInclude(test.body, { template: "test", to: root.email })
    const submitted = yield* root.post("/api/background/tasks", { name: "x", task_type: "email_notification", priority: "normal", payload: { delivery_id: id } })
    assert.strictEqual(submitted.status, 400)
  }))

  it.effect("tells the invited of an invitation, in the same transaction", () => Effect.gen(function*() {
    const worker = yield* postman
    const ada = yield* member("inviting@example.com")
    yield* take(worker, ada)
    const team = yield* ada.team({ name: "Compilers" })
    const invitation = yield* ada.post(`/v1/teams/${team}/invitations`, { email: "bob@example.com", role: "member" })
    const letter = yield* decodeLetter(yield* worker.data(yield* take(worker, ada)))
    assert.strictEqual(letter.to, "bob@example.com")
    assert.deepInclude(letter.mail, { team: "Compilers", inviter: "Ada Lovelace", token: String(invitation.at("token")) })
    const count = Effect.map(deliveries(ada), (answer) => each(answer, "id").length)
    const before = yield* count
    assert.strictEqual((yield* ada.post(`/v1/teams/${team}/invitations`, { email: ada.email, role: "member" })).status, 409)
    assert.strictEqual(yield* count, before, "an invitation that was not made is not told")
    yield* worker.leave
  }))

  it.effect("floods nobody", () => Effect.gen(function*() {
    const ada = yield* member("flooding@example.com")
    const team = yield* ada.team({ name: "Flood" })
    for (let n = 0; n <= MAX_PER_DAY; n++) yield* ada.post(`/v1/teams/${team}/invitations`, { email: "victim@example.com", role: "member" })
    const all = yield* ada.get("/v1/mail/deliveries?limit=200")
    assert.strictEqual(each(all, "status").filter((status) => status === "queued").length, MAX_PER_DAY + 1, "one of them is the welcome")
    assert.deepInclude(all.at("items", 0), { status: "failed", response: `${MAX_PER_DAY} messages to this address within a day are enough` })
  }))

  it.effect("about reports goes to whoever asks for it, and one click ends it", () => Effect.gen(function*() {
    const worker = yield* postman
    const ada = yield* member("reports@example.com")
    yield* take(worker, ada)
    yield* ada.put("/v1/users/preferences", { timezone: "UTC", email_report_ready: true })
    const entry = yield* ada.at("2026-01-05T09:00:00Z", 90)
    const narrator = yield* Effect.flatMap(grpcAddress, (address) => join(address, { worker_id: "narrator", kinds: ["INSIGHT_GENERATION"] }))
    const insight = Effect.gen(function*() {
      yield* ada.post("/v1/tasks/insights", { user_id: ada.id, entry_ids: [entry], insight_type: "productivity" })
      const task = yield* narrator.next
      yield* narrator.complete(task, JSON.stringify({ content: "You fixed the login race.", tags: [], confidence: 1 }))
    })
    yield* insight
    const letter = yield* decodeLetter(yield* worker.data(yield* take(worker, ada)))
    assert.deepInclude(letter.mail, { template: "report_ready", title: "productivity", content: "You fixed the login race.", period_start: "2026-01-05" })
    const link = letter.unsubscribe_url?.replace("https://englog.example.com", "") ?? ""
    const { ask } = yield* TestApi
    const look = yield* ask("GET", link)
    assert.strictEqual(look.status, 200)
    assert.include(look.text, "<form method=\"post\">")
    assert.strictEqual((yield* ada.get("/v1/users/preferences")).at("email_report_ready"), true, "looking changes nothing")
    assert.strictEqual((yield* ask("POST", `${link.slice(0, -2)}AA`)).status, 404)
    assert.strictEqual((yield* ask("POST", link, { raw: "List-Unsubscribe=One-Click", headers: { "content-type": "application/x-www-form-urlencoded" } })).status, 200)
    assert.deepInclude((yield* ada.get("/v1/users/preferences")).body, { email_report_ready: false, weekly_report: true })
    const before = each(yield* deliveries(ada), "id").length
    yield* insight
    assert.lengthOf(each(yield* deliveries(ada), "id"), before)
    yield* worker.leave
    yield* narrator.leave
  }))

  it.effect("brings the report of every Monday, which an administrator may have submitted now", () => Effect.gen(function*() {
    const worker = yield* postman
    const ada = yield* member("mondays@example.com")
    const sql = yield* SqlClient.SqlClient
    yield* sql`UPDATE users SET is_admin = true, created_at = now() - interval '1 year' WHERE id = ${ada.id}`
    yield* sql`INSERT INTO log_entries (id, user_id, title, type, start_time, end_time)
      SELECT gen_random_uuid(), ${ada.id}::uuid, 't', 'code', d, d + interval '1 hour' FROM generate_series(now() - interval '15 days', now(), interval '1 day') AS d`
    yield* take(worker, ada)
    const narrator = yield* Effect.flatMap(grpcAddress, (address) => join(address, { worker_id: "monday-narrator", kinds: ["WEEKLY_REPORT"] }))
    const jobs = yield* ada.get("/v1/admin/jobs")
    assert.include(JSON.stringify(jobs.body), "\"name\":\"weekly-reports\"")
    yield* ada.post("/v1/admin/jobs/weekly-reports/run")
    const task = yield* Effect.repeat(narrator.next, { until: ({ task_id }) => task_id.includes(ada.id) })
    yield* narrator.complete(task, JSON.stringify({ content: "You wrote code.", tags: [], confidence: 1 }))
    const letter = yield* decodeLetter(yield* worker.data(yield* take(worker, ada)))
    assert.deepInclude(letter.mail, { template: "weekly_report", first_name: "Ada", content: "You wrote code." })
    assert.isNotNull(letter.unsubscribe_url)
    yield* worker.leave
    yield* narrator.leave
  }))

  it.effect("is forgotten after 90 days", () => Effect.gen(function*() {
    const ada = yield* member("old@example.com")
    const { id } = yield* newest(ada)
    yield* SqlClient.SqlClient.use((sql) => sql`UPDATE mail_deliveries SET created_at = now() - interval '91 days' WHERE id = ${id}`)
    assert.strictEqual(yield* MailRepo.use((repo) => repo.removeOld).pipe(Effect.provide(MailRepo.layer.pipe(Layer.provide(FieldCipher.layer(encryptionKeys))))), 1)
    assert.strictEqual((yield* ada.get(`/v1/mail/deliveries/${id}`)).status, 404)
  }))
})

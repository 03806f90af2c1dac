/** Documents on their way in: as they arrive, as they are cut off, and whose they are. */
import { assert, layer } from "@effect/vitest"
import { MAX_DOCUMENT_BYTES } from "@englog/domain/documents/DocumentUpload"
import { UploadId } from "@englog/domain/Ids"
import { EngLogClient } from "@englog/rpc/client/EngLogClient"
import { Deferred, Effect, Layer, Redacted, Stream } from "effect"
import { HttpServer } from "effect/http"
import { SqlClient } from "effect/sql"
import { randomBytes, randomUUID } from "node:crypto"
import { FieldCipher } from "../../src/crypto/FieldCipher.ts"
import { UploadRepo } from "../../src/documents/UploadRepo.ts"
import { encryptionKeys, TestApi } from "../http/TestApi.ts"
import { joins, member } from "../support/Members.ts"
import { somebody } from "../support/Person.ts"
import { dial, exchange, httpPort } from "../support/RawHttp.ts"
import { eventually, wholeApi } from "../support/WholeApi.ts"

const ROUTE = "/api/background/documents/uploads"
const PROCESSING = "/api/background/tasks/document-processing"

interface Uploader {
  readonly id: string
  readonly token: string
}

const upload = ({ token }: Uploader, raw: string, type = "text/plain", query = "", more: Readonly<Record<string, string>> = {}) =>
  TestApi.use(({ ask }) => ask("POST", `${ROUTE}${query}`, { token, raw, headers: { "content-type": type, ...more } }))

const patch = ({ token }: Uploader, path: string, raw: string, { last, offset }: { readonly offset: number; readonly last: boolean }) =>
  TestApi.use(({ ask }) => ask("PATCH", path, {
    token,
    raw,
    headers: { "content-type": "application/partial-upload", "upload-offset": String(offset), "upload-complete": last ? "?1" : "?0" }
  }))

const patchHead = ({ token }: Uploader, path: string, more: string) =>
  `PATCH ${path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${token}\r\ncontent-type: application/partial-upload\r\n${more}\r\n\r\n`

const FORM = "multipart/form-data; boundary=----formBoundary7MA4YWxk"

type FormPart = readonly [disposition: string, type: string | undefined, content: string]

const form = (parts: ReadonlyArray<FormPart>): string =>
  `${parts.map(([disposition, type, content]) =>
    `------formBoundary7MA4YWxk\r\nContent-Disposition: form-data; ${disposition}\r\n${type === undefined ? "" : `Content-Type: ${type}\r\n`}\r\n${content}\r\n`).join("")
  }------formBoundary7MA4YWxk--\r\n`

const head = ({ token }: Uploader, more: string) =>
  `POST ${ROUTE} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${token}\r\ncontent-type: text/plain\r\n${more}\r\n\r\n`

const ofSomebody = ({ id }: Uploader) =>
  SqlClient.SqlClient.use((sql) =>
    sql<{ id: string; whole: boolean; parts: number; bytes: number }>`
      SELECT u.id, u.completed_at IS NOT NULL AS whole, u.bytes, (SELECT count(*)::int FROM document_upload_parts p WHERE p.upload = u.id) AS parts
      FROM document_uploads u WHERE u.user_id = ${id}`)

layer(wholeApi(), { excludeTestServices: true, timeout: "60 seconds" })("a document that is uploaded", (it) => {
  it.effect("is stored in parts, encrypted, and comes out as it went in", () => Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const ada = yield* somebody()
    const text = `A sentence that is looked for. ${randomBytes(1_700_000).toString("hex")}`
    const answer = yield* upload(ada, text, "text/markdown; charset=UTF-8")
    assert.deepStrictEqual([answer.status, answer.at("format"), answer.at("bytes")], [201, "markdown", text.length], answer.text)
    assert.deepStrictEqual((yield* ofSomebody(ada)).map(({ bytes, parts, whole }) => ({ bytes, parts, whole })), [{ bytes: text.length, parts: 4, whole: true }])
    const accepted = yield* ada.post(PROCESSING, { document_id: "large", upload_id: answer.at("upload_id"), title: "Large" })
    assert.strictEqual(accepted.status, 202, accepted.text)
    const [document] = yield* sql<{ key: string }>`SELECT key FROM documents WHERE submitted_by = ${ada.id} AND source IS NULL AND format = 'markdown'`
    const rows = yield* sql<{ content: string }>`
      SELECT p.content FROM document_upload_parts p JOIN document_uploads u ON u.id = p.upload WHERE u.document = ${document?.key ?? ""}::uuid AND u.user_id IS NULL`
    assert.lengthOf(rows, 4)
    for (const { content } of rows) assert.notInclude(content + Buffer.from(content.slice(6), "base64url").toString("latin1"), "looked for")
  }))

  it.effect("is one of four types, and not empty", () => Effect.gen(function*() {
    const ada = yield* somebody()
    for (const type of ["application/json", "text/csv", "text/plain; charset=latin1"]) {
      const refused = yield* upload(ada, "text", type)
      assert.strictEqual(refused.status, 415, type)
      assert.match(refused.error, /^content-type: /)
    }
    const empty = yield* exchange(head(ada, "content-length: 0"))
    assert.match(empty, /^HTTP\/1.1 400 /)
    assert.include(empty, "body: must not be empty")
    for (const [type, format] of [["text/plain", "text"], ["text/html", "html"], ["application/pdf", "pdf"]] as const) {
      assert.strictEqual((yield* upload(ada, "x", type)).at("format"), format)
    }
    assert.lengthOf(yield* ofSomebody(ada), 3, "nothing is left of what was refused")
  }))

  it.effect("with a length beyond the limit is refused before anything of it is read", () => Effect.gen(function*() {
    const ada = yield* somebody()
    const answer = yield* exchange(head(ada, `content-length: ${200 * 1_048_576}`))
    assert.match(answer, /^HTTP\/1.1 413 /)
    assert.include(answer, `body: must be at most ${MAX_DOCUMENT_BYTES} bytes`)
    assert.lengthOf(yield* ofSomebody(ada), 0)
  }))

  it.effect("without a length is refused in mid-stream, as soon as it is beyond the limit", () => Effect.scoped(Effect.gen(function*() {
    const ada = yield* somebody()
    const connection = yield* dial
    yield* connection.send(head(ada, "transfer-encoding: chunked"))
    const chunk = Buffer.concat([Buffer.from("100000\r\n"), Buffer.alloc(1_048_576, "word "), Buffer.from("\r\n")])
    // One byte more than it may have; its end is never sent.
    for (let index = 0; index < MAX_DOCUMENT_BYTES / 1_048_576; index++) yield* connection.send(chunk)
    yield* connection.send("1\r\nx\r\n")
    const answer = yield* Effect.timeout(connection.end, "60 seconds")
    assert.match(answer, /^HTTP\/1.1 413 /)
    assert.include(answer, `body: must be at most ${MAX_DOCUMENT_BYTES} bytes`)
    yield* eventually(ofSomebody(ada), (uploads) => uploads.length === 0)
  })), 120_000)

  it.effect("and cut off leaves nothing, whether its length was known or not", () => Effect.scoped(Effect.gen(function*() {
    const ada = yield* somebody()
    for (const length of ["content-length: 5000000", "transfer-encoding: chunked"]) {
      const socket = yield* Effect.scoped(Effect.gen(function*() {
        const connection = yield* dial
        yield* connection.send(head(ada, length))
        const bytes = Buffer.alloc(2_500_000, "word ")
        yield* connection.send(length.startsWith("content") ? bytes : Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from("\r\n")]))
        return yield* eventually(ofSomebody(ada), (uploads) => uploads[0]?.parts === 2)
      }))
      assert.deepInclude(socket[0], { whole: false })
      yield* eventually(ofSomebody(ada), (uploads) => uploads.length === 0)
    }
  })))

  it.effect("goes on where it was cut off, and is whole only then", () => Effect.scoped(Effect.gen(function*() {
    const ada = yield* somebody()
    const text = `${randomBytes(1_400_000).toString("hex")} and the end`
    const { ask } = yield* TestApi
    const begun = yield* upload(ada, text.slice(0, 300_000), "text/markdown", "", { "upload-complete": "?0" })
    assert.deepStrictEqual([begun.status, begun.at("bytes"), begun.at("complete")], [201, 300_000, false], begun.text)
    const path = `${ROUTE}/${String(begun.at("upload_id"))}`
    assert.deepInclude({ ...begun.headers }, { location: path, "upload-offset": "300000", "upload-complete": "?0" })
    const early = yield* ada.post(PROCESSING, { document_id: "early", upload_id: begun.at("upload_id") })
    assert.deepStrictEqual([early.status, early.error.split(":", 1)[0]], [404, "upload_id"])

    // Announced are more bytes than are sent before the connection ends.
    yield* Effect.scoped(Effect.gen(function*() {
      const connection = yield* dial
      yield* connection.send(patchHead(ada, path, `upload-offset: 300000\r\nupload-complete: ?1\r\ncontent-length: ${text.length - 300_000}`))
      yield* connection.send(text.slice(300_000, 1_900_000))
      yield* eventually(ofSomebody(ada), (uploads) => uploads[0]?.parts === 1 && uploads[0].bytes === 1_048_576)
    }))
    const asked = yield* eventually(ask("HEAD", path, { token: ada.token }), ({ headers }) => headers["upload-offset"] === "1900000")
    assert.deepStrictEqual([asked.status, asked.headers["upload-complete"], asked.text], [200, "?0", ""])

    const wrong = yield* patch(ada, path, "x", { offset: 1_048_576, last: true })
    assert.deepStrictEqual([wrong.status, wrong.error], [409, "upload-offset: is 1048576, but 1900000 bytes of the upload have arrived"])
    const some = yield* patch(ada, path, text.slice(1_900_000, 1_900_010), { offset: 1_900_000, last: false })
    assert.deepStrictEqual([some.status, some.headers["upload-offset"], some.headers["upload-complete"]], [200, "1900010", "?0"])
    const whole = yield* patch(ada, path, text.slice(1_900_010), { offset: 1_900_010, last: true })
    assert.deepStrictEqual([whole.status, whole.at("bytes"), whole.at("complete"), whole.headers["upload-complete"]], [200, text.length, true, "?1"])
    assert.deepStrictEqual((yield* ofSomebody(ada)).map(({ bytes, parts }) => [bytes, parts]), [[text.length, 3]])
    assert.strictEqual((yield* patch(ada, path, "x", { offset: text.length, last: true })).status, 409, "nothing follows its end")
    assert.strictEqual((yield* ada.post(PROCESSING, { document_id: "resumed", upload_id: begun.at("upload_id") })).status, 202)
    assert.strictEqual((yield* ask("HEAD", path, { token: ada.token })).status, 404, "a document has taken it")
    const exported = yield* ask("GET", "/v1/users/export", { token: ada.token })
    const parts = [text.slice(0, 1_048_576), text.slice(1_048_576, 2_097_152), text.slice(2_097_152)]
    for (const part of parts) assert.include(exported.text, `"${Buffer.from(part).toString("base64")}"`, "its bytes are those that were sent")
  })))

  it.effect("that goes on is its uploader's, is bounded as a whole, and takes only what says where it belongs", () => Effect.gen(function*() {
    const [ada, eve] = [yield* somebody(), yield* somebody()]
    const begun = yield* upload(ada, "", "text/plain", "", { "upload-complete": "?0" })
    const path = `${ROUTE}/${String(begun.at("upload_id"))}`
    const { ask } = yield* TestApi
    assert.strictEqual((yield* patch(eve, path, "x", { offset: 0, last: true })).status, 404)
    assert.strictEqual((yield* ask("GET", path, { token: eve.token })).status, 404)
    for (const [headers, status, reason] of [
      [{ "upload-complete": "?1" }, 400, /^upload-offset: /],
      [{ "upload-offset": "-1", "upload-complete": "?1" }, 400, /^upload-offset: /],
      [{ "upload-offset": "0", "upload-complete": "true" }, 400, /^upload-complete: /],
      [{ "upload-offset": "0", "upload-complete": "?1", "content-type": "text/plain" }, 415, /^content-type: .*application\/partial-upload/]
    ] as const) {
      const refused = yield* ask("PATCH", path, { token: ada.token, raw: "x", headers: { "content-type": "application/partial-upload", ...headers } })
      assert.strictEqual(refused.status, status, refused.text)
      assert.match(refused.error, reason)
    }
    assert.strictEqual((yield* patch(ada, path, "", { offset: 0, last: true })).error, "body: must not be empty")
    const large = yield* exchange(patchHead(ada, path, `upload-offset: 0\r\nupload-complete: ?1\r\ncontent-length: ${MAX_DOCUMENT_BYTES + 1}`))
    assert.match(large, /^HTTP\/1.1 413 /)
    // What follows 50 MiB but one byte may be one byte.
    const sql = yield* SqlClient.SqlClient
    yield* sql`UPDATE document_uploads SET bytes = ${MAX_DOCUMENT_BYTES}, parts = 50 WHERE user_id = ${ada.id}`
    const beyond = yield* patch(ada, path, "x", { offset: MAX_DOCUMENT_BYTES, last: true })
    assert.deepStrictEqual([beyond.status, beyond.error], [413, `body: must be at most ${MAX_DOCUMENT_BYTES} bytes`])
    assert.strictEqual((yield* ada.remove(path)).status, 204)
  }))

  it.effect("that goes on takes what two add at once from one of them", () => Effect.scoped(Effect.gen(function*() {
    const ada = yield* somebody()
    const begun = yield* upload(ada, "", "text/plain", "", { "upload-complete": "?0" })
    const path = `${ROUTE}/${String(begun.at("upload_id"))}`
    const late = yield* dial
    yield* late.send(patchHead(ada, path, "upload-offset: 0\r\nupload-complete: ?1\r\nconnection: close\r\ncontent-length: 1200000"))
    yield* late.send("a".repeat(1_100_000))
    yield* eventually(ofSomebody(ada), (uploads) => uploads[0]?.bytes === 1_048_576)
    // Its connection was believed lost.
    assert.strictEqual((yield* patch(ada, path, "b".repeat(10), { offset: 1_048_576, last: true })).status, 200)
    yield* late.send("a".repeat(100_000))
    assert.match(yield* Effect.timeout(late.end, "20 seconds"), /^HTTP\/1.1 409 /)
    assert.deepStrictEqual((yield* ofSomebody(ada)).map(({ bytes, whole }) => [bytes, whole]), [[1_048_586, true]])
  })))

  it.effect("may come in a form, as browsers and curl send one", () => Effect.gen(function*() {
    const ada = yield* somebody()
    const text = `In a form. ${randomBytes(900_000).toString("hex")}\r\n--not the boundary\r\n`
    const named = (name: string, type: string) => form([[`name="file"; filename="${name}"`, type, text]])
    for (const [body, format] of [
      [named("notes.txt", "text/plain"), "text"],
      [named("notes.md", "application/octet-stream"), "markdown"],
      [named("Über uns.HTML", "text/html; charset=utf-8"), "html"]
    ] as const) {
      const answer = yield* upload(ada, body, FORM)
      assert.deepStrictEqual([answer.status, answer.at("format"), answer.at("bytes"), answer.at("complete")], [201, format, text.length, true], answer.text)
    }
    const exported = yield* TestApi.use(({ ask }) => ask("GET", "/v1/users/export", { token: ada.token }))
    assert.include(exported.text, `"${Buffer.from(text.slice(0, 1_048_576)).toString("base64")}"`)
  }))

  it.effect("in a form is one file of a known type and nothing else, and leaves nothing where it is not", () => Effect.scoped(Effect.gen(function*() {
    const ada = yield* somebody()
    const file = [`name="file"; filename="a.txt"`, "text/plain", "x".repeat(1_500_000)] as const
    const field = [`name="title"`, undefined, "A title"] as const
    for (const [body, status, reason] of [
      [form([[`name="file"; filename="a.csv"`, "text/csv", "a;b"]]), 415, /^content-type: text\/csv of the file in the form is not supported/],
      [form([[`name="file"; filename="a.exe"`, "application/octet-stream", "MZ"]]), 415, /^content-type: application\/octet-stream /],
      [form([field, file]), 400, /^body: must be a form with one file and nothing else/],
      [form([file, field]), 400, /^body: must be a form with one file and nothing else/],
      [form([file, file]), 400, /^body: must be a form with one file and nothing else/],
      [form([]), 400, /^body: /],
      [form([file]).slice(0, -20), 400, /^body: is no form, or was cut off/],
      [form([[`name="file"; filename="a.txt"`, "text/plain", ""]]), 400, /^body: must not be empty/],
      ["no form at all", 400, /^body: is no form, or was cut off/]
    ] as const) {
      const refused = yield* upload(ada, body, FORM)
      assert.strictEqual(refused.status, status, `${body.slice(0, 200)}: ${refused.text}`)
      assert.match(refused.error, reason)
    }
    assert.match((yield* upload(ada, form([file]), FORM, "", { "upload-complete": "?0" })).error, /^upload-complete: must be \?1 for a form/)
    assert.lengthOf(yield* ofSomebody(ada), 0)

    const cut = yield* dial
    yield* cut.send(head(ada, "content-length: 3000000").replace("text/plain", FORM))
    yield* cut.send(form([[file[0], file[1], "x".repeat(2_500_000)]]).slice(0, 2_400_000))
    yield* eventually(ofSomebody(ada), (uploads) => uploads[0]?.parts === 2)
    yield* cut.destroy
    yield* eventually(ofSomebody(ada), (uploads) => uploads.length === 0)
  })), 60_000)

  it.effect("in a form is as large as any other, and refused in mid-stream with a byte more", () => Effect.scoped(Effect.gen(function*() {
    const ada = yield* somebody()
    const [before, after] = form([[`name="file"; filename="a.txt"`, "text/plain", "|"]]).split("|")
    const connection = yield* dial
    yield* connection.send(head(ada, "transfer-encoding: chunked").replace("text/plain", FORM))
    const chunk = (bytes: Buffer) => connection.send(Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from("\r\n")]))
    yield* chunk(Buffer.from(before ?? ""))
    for (let index = 0; index < MAX_DOCUMENT_BYTES / 1_048_576; index++) yield* chunk(Buffer.alloc(1_048_576, "word "))
    yield* chunk(Buffer.from(`x${after}`))
    const answer = yield* Effect.timeout(connection.end, "60 seconds")
    assert.match(answer, /^HTTP\/1.1 413 /)
    assert.include(answer, `body: must be at most ${MAX_DOCUMENT_BYTES} bytes`)
    yield* eventually(ofSomebody(ada), (uploads) => uploads.length === 0)
    const exact = yield* upload(ada, `${before}${"x".repeat(MAX_DOCUMENT_BYTES)}${after}`, FORM)
    assert.deepStrictEqual([exact.status, exact.at("bytes")], [201, MAX_DOCUMENT_BYTES], exact.text)
  })), 180_000)

  it.effect("is of its uploader and its organization only", () => Effect.gen(function*() {
    const [ada, eve] = [yield* member("upload-ada@example.com"), yield* member("upload-eve@example.com")]
    const team = yield* ada.team()
    yield* joins(eve, ada, team)
    const id = String((yield* upload(ada, "Of the team.", "text/plain", `?organization_id=${team}`)).at("upload_id"))
    const submit = (who: typeof ada, more: Record<string, unknown>) => who.post(PROCESSING, { document_id: "d", upload_id: id, ...more })
    for (const refused of [yield* submit(eve, { organization_id: team }), yield* submit(eve, {}), yield* submit(ada, {})]) {
      assert.strictEqual(refused.status, 404)
      assert.match(refused.error, /^upload_id: you have no upload/)
    }
    assert.strictEqual((yield* eve.remove(`${ROUTE}/${id}`)).status, 404)
    assert.strictEqual((yield* upload(eve, "x", "text/plain", `?organization_id=${randomUUID()}`)).status, 403)
    assert.strictEqual((yield* submit(ada, { organization_id: team })).status, 202)
    const again = yield* submit(ada, { organization_id: team })
    assert.strictEqual(again.status, 404, "a document has taken it")
    assert.strictEqual((yield* ada.remove(`${ROUTE}/${id}`)).status, 404)
  }))

  it.effect("is given instead of content, and without a format", () => Effect.gen(function*() {
    const ada = yield* somebody()
    const upload_id = randomUUID()
    for (const [more, reason] of [
      [{ content: "x" }, /upload_id: must not be given together with content/],
      [{ content_base64: "eA==" }, /upload_id: must not be given together with content_base64/],
      [{ format: "text" }, /format: must not be given with upload_id/]
    ] as const) {
      const refused = yield* ada.post(PROCESSING, { document_id: "d", upload_id, ...more })
      assert.strictEqual(refused.status, 400)
      assert.match(refused.error, reason)
    }
    const bulk = yield* ada.post("/api/background/integrations/knowledge/process-bulk", { documents: [{ document_id: "d", upload_id }] })
    assert.strictEqual(bulk.status, 404)
    assert.match(bulk.error, /^documents\[0\]\.upload_id: /)
  }))

  it.effect("counts until a document takes it, it is deleted, or its day is over", () => Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const ada = yield* somebody()
    const made = yield* Effect.forEach([1, 2, 3, 4, 5], () => upload(ada, "x"))
    assert.deepStrictEqual(made.map(({ status }) => status), [201, 201, 201, 201, 201])
    const idOf = (index: number) => String(made[index]?.at("upload_id"))
    const sixth = yield* upload(ada, "x")
    assert.deepStrictEqual([sixth.status, sixth.at("code")], [409, "limit_reached"])
    assert.strictEqual((yield* ada.remove(`${ROUTE}/${idOf(0)}`)).status, 204)
    assert.strictEqual((yield* upload(ada, "x")).status, 201)
    assert.strictEqual((yield* ada.post(PROCESSING, { document_id: "d", upload_id: idOf(1) })).status, 202)
    assert.strictEqual((yield* upload(ada, "x")).status, 201)
    assert.strictEqual((yield* upload(ada, "x")).status, 409)
    yield* sql`UPDATE document_uploads SET created_at = now() - interval '24 hours 1 second' WHERE id = ${idOf(2)}::uuid`
    assert.strictEqual((yield* ada.post(PROCESSING, { document_id: "e", upload_id: idOf(2) })).status, 404)
    assert.strictEqual((yield* upload(ada, "x")).status, 201)
    // What a killed server leaves behind counts for an hour.
    yield* sql`UPDATE document_uploads SET completed_at = NULL, created_at = now() - interval '61 minutes' WHERE id = ${idOf(3)}::uuid`
    const removed = yield* UploadRepo.use((uploads) => uploads.removeExpired).pipe(Effect.provide(Layer.provide(UploadRepo.layer, FieldCipher.layer(encryptionKeys))))
    assert.isAtLeast(removed, 2)
    const left = (yield* ofSomebody(ada)).map(({ id }) => id)
    yield* sql`UPDATE document_uploads SET completed_at = NULL, resumable = true, created_at = now() - interval '61 minutes' WHERE id = ${idOf(4)}::uuid`
    yield* UploadRepo.use((uploads) => uploads.removeExpired).pipe(Effect.provide(Layer.provide(UploadRepo.layer, FieldCipher.layer(encryptionKeys))))
    assert.include((yield* ofSomebody(ada)).map(({ id }) => id), idOf(4), "what is to be resumed has its day")
    assert.notInclude(left, idOf(2))
    assert.notInclude(left, idOf(3))
    assert.include(left, idOf(4))
    assert.lengthOf(yield* sql`SELECT 1 FROM document_uploads WHERE document IS NOT NULL`.pipe(Effect.map((rows) => rows.slice(0, 1))), 1, "what documents have stays")
  }))

  it.effect("goes with its document, when that gets another source, and with the account", () => Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const ada = yield* somebody()
    const submit = Effect.fnUntraced(function*(document_id: string) {
      const upload_id = String((yield* upload(ada, `The source of ${document_id}.`)).at("upload_id"))
      yield* ada.post(PROCESSING, { document_id, upload_id })
      return upload_id
    })
    const has = (id: string) => Effect.map(sql`SELECT 1 FROM document_upload_parts WHERE upload = ${id}::uuid`, (rows) => rows.length > 0)
    const [deleted, replaced, uploadedAgain, stays] = [yield* submit("deleted"), yield* submit("replaced"), yield* submit("again"), yield* submit("stays")]
    yield* ada.remove("/v1/knowledge/documents/deleted")
    yield* ada.post(PROCESSING, { document_id: "replaced", content: "Short." })
    const newest = yield* submit("again")
    yield* ada.post(PROCESSING, { document_id: "stays" })
    assert.deepStrictEqual(yield* Effect.forEach([deleted, replaced, uploadedAgain, newest, stays], has), [false, false, false, true, true])
    const waiting = String((yield* upload(ada, "Waits.")).at("upload_id"))
    const exported = yield* TestApi.use(({ ask }) => ask("GET", "/v1/users/export", { token: ada.token }))
    assert.include(exported.text, Buffer.from("The source of stays.").toString("base64"))
    assert.include(exported.text, Buffer.from("Waits.").toString("base64"))
    assert.strictEqual((yield* ada.post("/v1/users/delete", { password: "correct horse battery" })).status, 204)
    assert.deepStrictEqual(yield* Effect.forEach([newest, stays, waiting], has), [false, false, false])
  }))

  it.effect("goes through the client, as a stream, with whatever refuses it", () => Effect.scoped(Effect.gen(function*() {
    const ada = yield* somebody()
    const { address } = yield* HttpServer.HttpServer
    const url = `http://127.0.0.1:${"port" in address ? address.port : yield* httpPort}`
    const client = yield* Effect.provide(EngLogClient, yield* Layer.build(EngLogClient.layer({ url, auth: Redacted.make(ada.token) })))
    const bytes = Stream.fromIterable(Array.from({ length: 30 }, () => new Uint8Array(100_000).fill(0x41)))
    const { bytes: size, upload_id } = yield* client.uploadDocument({ format: "text", bytes })
    assert.strictEqual(size, 3_000_000)
    const { task_id } = yield* client.ProcessDocument({ document_id: "by-client", upload_id })
    assert.match(task_id, /^document-processing_/)
    const other = yield* client.uploadDocument({ format: "text", bytes })
    yield* client.DeleteDocumentUpload({ upload_id: other.upload_id })
    assert.deepInclude(yield* Effect.flip(client.DeleteDocumentUpload({ upload_id: UploadId.make(randomUUID()) })), { reason: "not_found" })
    assert.deepInclude(yield* Effect.flip(client.uploadDocument({ format: "pdf", bytes: Stream.empty })), { reason: "bad_request", message: "body: must not be empty" })
    const cut = yield* Effect.flip(client.uploadDocument({ format: "text", bytes: Stream.concat(bytes, Stream.fail("no more")) }))
    assert.deepInclude(cut, { reason: "unavailable" })
    yield* eventually(ofSomebody(ada), (uploads) => uploads.length === 0)

    // A source that breaks twice, each time after it gave some more.
    const asked: Array<number> = []
    const begun = yield* Deferred.make<UploadId>()
    const breaking = (from: number) => {
      asked.push(from)
      const pieces = Stream.fromIterable(Array.from({ length: (3_000_000 - from) / 100_000 }, () => new Uint8Array(100_000).fill(0x41)))
      return asked.length > 2 ? pieces : Stream.concat(Stream.take(pieces, 8), Stream.fail("the disk was pulled out"))
    }
    const resumed = yield* client.uploadDocumentResumably({ format: "text", bytes: breaking, begun: (id) => Effect.asVoid(Deferred.succeed(begun, id)) })
    assert.deepInclude({ ...resumed }, { bytes: 3_000_000, complete: true, upload_id: yield* Deferred.await(begun) })
    assert.deepInclude({ ...yield* client.GetDocumentUpload({ upload_id: resumed.upload_id }) }, { bytes: 3_000_000, complete: true })
    assert.strictEqual(asked.length, 3)
    const again = yield* client.uploadDocumentResumably({ format: "text", bytes: breaking, upload_id: resumed.upload_id })
    assert.deepStrictEqual([again.bytes, asked.length], [3_000_000, 3], "nothing is sent of what is whole")
  })))
})

/** Documents on their way in: as they arrive, as they are cut off, and whose they are. */
import { assert, layer } from "@effect/vitest"
import { MAX_DOCUMENT_BYTES } from "@englog/domain/documents/DocumentUpload"
import { UploadId } from "@englog/domain/Ids"
import { EngLogClient } from "@englog/rpc/client/EngLogClient"
import { Effect, Layer, Redacted, Stream } from "effect"
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

const upload = ({ token }: Uploader, raw: string, type = "text/plain", query = "") =>
  TestApi.use(({ ask }) => ask("POST", `${ROUTE}${query}`, { token, raw, headers: { "content-type": type } }))

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
  })))
})

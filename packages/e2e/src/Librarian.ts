/** Somebody with documents, over REST. */
import { type DocumentFormat, KnowledgeDocument } from "@englog/domain/documents/Document"
import { DocumentUpload } from "@englog/domain/documents/DocumentUpload"
import { DocumentSummary } from "@englog/domain/tasks/DocumentProcessing"
import { SearchAnswer } from "@englog/rpc/http/DocumentRequest"
import { uploadsRoute, uploadTypes } from "@englog/rpc/http/DocumentUploadsApi"
import { TaskAccepted } from "@englog/rpc/http/TaskView"
import { Effect, Schema, Stream } from "effect"
import { HttpClient, HttpClientRequest, HttpClientResponse } from "effect/http"
import { ask, personOf, register } from "./Person.ts"

export const librarian = Effect.fnUntraced(function*(url: string, email: string) {
  const registered = yield* register(url, email)
  // Large documents take longer than an access token lasts.
  const made = yield* ask("POST", `${url}/v1/users/tokens`, { token: registered.token, body: { name: "librarian", scopes: ["read", "write", "background"] } })
  const { token } = yield* Schema.decodeEffect(Schema.fromJsonString(Schema.Struct({ token: Schema.String })))(made.text)
  const person = personOf(url, { token, user_id: registered.user_id })
  const answered = <A, E>(method: "GET" | "POST" | "DELETE", path: string, schema: Schema.Codec<A, E>, body?: unknown) =>
    Effect.flatMap(ask(method, `${url}${path}`, { token: person.token, ...body === undefined ? {} : { body } }), ({ status, text }) =>
      status < 300
        ? Schema.decodeEffect(Schema.fromJsonString(schema))(text)
        : Effect.die(new Error(`${method} ${path} answered ${status}: ${text}`)))
  const submit = (document: Readonly<Record<string, unknown>>) =>
    Effect.map(answered("POST", "/api/background/tasks/document-processing", TaskAccepted, document), ({ task_id }) => task_id)
  /** `minutes`: how long it may take. */
  const processed = Effect.fnUntraced(function*(document: Readonly<Record<string, unknown>>, minutes = 1) {
    const task_id = yield* submit(document)
    const { error, result, status } = yield* Effect.retry(person.ended(task_id), { times: minutes - 1 })
    return status === "TASK_STATUS_COMPLETED"
      ? yield* Schema.decodeEffect(Schema.fromJsonString(DocumentSummary))(result)
      : yield* Effect.die(new Error(`not processed: ${error}`))
  })
  /** In pieces, without saying how many. */
  const upload = (bytes: Uint8Array, format: DocumentFormat = "text") =>
    HttpClientRequest.post(`${url}${uploadsRoute}`).pipe(
      HttpClientRequest.bearerToken(person.token),
      HttpClientRequest.bodyStream(Stream.fromIterable(piecesOf(bytes)), { contentType: uploadTypes[format] }),
      HttpClient.execute,
      Effect.flatMap((response) => response.status === 201
        ? HttpClientResponse.schemaBodyJson(DocumentUpload)(response)
        : Effect.flatMap(response.text, (text) => Effect.die(new Error(`upload answered ${response.status}: ${text}`))))
    )
  return {
    ...person,
    answered,
    upload,
    submit,
    processed,
    refused: (document: Readonly<Record<string, unknown>>) => Effect.map(Effect.flatMap(submit(document), person.ended), ({ error, status }) => ({ error, status })),
    read: (document_id: string) => answered("GET", `/v1/knowledge/documents/${document_id}`, KnowledgeDocument),
    search: (query: string, more: Readonly<Record<string, unknown>> = {}) => answered("POST", "/v1/knowledge/search", SearchAnswer, { query, ...more })
  }
})

const PIECE = 65_536

const piecesOf = function*(bytes: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += PIECE) yield bytes.subarray(at, at + PIECE)
}

/**
 * The OpenAPI document and the Bruno collection held against a running installation: every documented request is sent as it stands in
 * the collection, and every answer has to be what the document says of its status, to the last field.
 */
import { assert, describe, it, layer } from "@effect/vitest"
import { NodeFileSystem } from "@effect/platform-node"
import { Context, Effect, Layer } from "effect"
import { FetchHttpClient } from "effect/http"
import { randomUUID } from "node:crypto"
import { grantAdmin } from "../src/Administrator.ts"
import { contractOf, type Operation } from "../src/conformance/Contract.ts"
import { makeExerciser } from "../src/conformance/Exerciser.ts"
import { newcomer, situations } from "../src/conformance/Situations.ts"
import { Installation } from "../src/Installation.ts"
import { startCatcher } from "../src/MailCatcher.ts"
import { type Answer, ask, password } from "../src/Person.ts"
import { receiver } from "../src/Receiver.ts"

const noMailbox = { at: "RCPT", code: 550, text: "5.1.1 no such user" } as const

const running = Effect.gen(function*() {
  const installation = yield* Installation
  const catcher = yield* startCatcher()
  const web = new URL((yield* receiver(() => false)).url).origin
  const { url } = yield* installation.startApi({ PUBLIC_URL: "https://englog.example.com" })
  yield* installation.startWorker("worker", { SMTP_URL: `smtp://127.0.0.1:${catcher.port}`, SMTP_PLAIN: "true", MAIL_FROM: "EngLog <englog@example.com>" })
  yield* catcher.behaves(noMailbox, noMailbox)
  const unreachable = [yield* newcomer(url), yield* newcomer(url)] as const
  const administrator = yield* newcomer(url)
  yield* grantAdmin(installation.dataDir, administrator.email)
  const document = yield* ask("GET", `${url}/openapi.json`)
  const variables = new Map([["email", "ada@example.com"], ["password", password], ["queue", "default"]])
  const prepared = situations({ url, deadUrl: "http://127.0.0.1:1/", catcher, unreachable, token: () => variables.get("access_token") ?? "" })
  return {
    ...contractOf(JSON.parse(document.text)),
    ...yield* makeExerciser({ url, web, variables, administrator: administrator.token, situations: prepared }),
    mayFollow: ({ id }: Operation, done: ReadonlySet<string>) => (prepared[id]?.after ?? []).every((before) => done.has(before))
  }
})

class Running extends Context.Service<Running, Effect.Success<typeof running>>()("@englog/e2e/test/openapi/Running") {
  static readonly layer = Layer.effect(Running, running)
}

const world = Running.layer.pipe(Layer.provideMerge(Layer.mergeAll(Installation.layer({ WEB_ALLOW_PRIVATE: "true" }), FetchHttpClient.layer, NodeFileSystem.layer)))

/** What takes away what others are about, or who sends them. */
const isFarewell = ({ id, method }: Operation): boolean =>
  method === "DELETE" || ["auth.logout", "account.changePassword", "account.anonymize", "account.remove"].includes(id)

const told = ({ id }: Operation, { status, text }: Answer, what: string): string => `${id} ${status} ${what}: ${text.slice(0, 500)}`

/** Everything, each as soon as what it is about is there; answers what was not as documented. */
const everythingOf = Effect.fnUntraced(function*(operations: ReadonlyArray<Operation>, done: Set<string>) {
  const { exercise, faults, hasCome, mayFollow, ready } = yield* Running
  const wrong: Array<string> = []
  let left = operations
  for (let next = left.find((one) => ready(one) && mayFollow(one, done)); next !== undefined; next = left.find((one) => ready(one) && mayFollow(one, done))) {
    const operation = next
    const answer = yield* exercise(operation)
    wrong.push(...faults(operation, answer).map((fault) => told(operation, answer, fault)))
    if (!hasCome(operation, answer)) wrong.push(told(operation, answer, "is no success, or an empty list"))
    left = left.filter((one) => one !== operation)
    done.add(operation.id)
  }
  return [...wrong, ...left.map(({ id }) => `${id}: no answer tells what its request is about`)]
})

describe("an answer", () => {
  const created = {
    type: "object",
    properties: { id: { type: "string", format: "uuid" }, at: { $ref: "#/components/schemas/Time" } },
    required: ["id", "at"],
    additionalProperties: false
  }
  const { faults, operations } = contractOf({
    paths: { "/things": { post: { operationId: "things.create", responses: { 201: { headers: { location: { required: true } }, content: { "application/json": { schema: created } } }, 204: {} } } } },
    components: { schemas: { Time: { type: "string", format: "date-time" } } }
  })
  const things = (status: number, body: unknown, headers: Record<string, string> = { location: "/things/1" }) =>
    operations.flatMap((operation) => faults(operation, { status, text: body === null ? "" : JSON.stringify(body), headers: { "content-type": "application/json", ...headers } }))
  const thing = { id: "3f0e8a52-6a3c-4a52-9a6d-0d7d3a0f7c11", at: "2026-01-05T09:00:00Z" }

  it("that is as documented has no faults, and any other one has", () => {
    assert.deepStrictEqual(things(201, thing), [])
    assert.deepStrictEqual(things(204, null), [])
    assert.deepStrictEqual(things(200, thing), ["the status is not documented"])
    assert.deepStrictEqual(things(204, thing), ["a body where none is documented"])
    assert.deepStrictEqual(things(201, thing, {}), ["the header location is missing"])
    assert.deepStrictEqual(things(201, thing, { location: "/things/1", "content-type": "text/plain" }), ["content-type text/plain instead of application/json"])
    assert.deepStrictEqual(things(201, { ...thing, at: "yesterday" }), ["/at must match format \"date-time\" {\"format\":\"date-time\"}"])
    assert.deepStrictEqual(things(201, { id: thing.id, more: 1 }), [
      "the body must have required property 'at' {\"missingProperty\":\"at\"}",
      "the body must NOT have additional properties {\"additionalProperty\":\"more\"}"
    ])
  })
})

layer(world, { excludeTestServices: true, timeout: "120 seconds" })("the OpenAPI document", (it) => {
  const done = new Set<string>()

  it.effect("tells the truth of every request that it gives an example of, and of what it answers", () => Effect.gen(function*() {
    const { operations } = yield* Running
    assert.isAbove(operations.length, 190)
    assert.deepStrictEqual(yield* everythingOf(operations.filter((one) => !isFarewell(one)), done), [])
  }))

  it.effect("tells the truth of all optional parameters together", () => Effect.gen(function*() {
    const { exercise, faults, operations } = yield* Running
    const wrong: Array<string> = []
    for (const operation of operations.filter(({ method }) => method === "GET" || method === "PUT")) {
      const answer = yield* exercise(operation, true)
      wrong.push(...faults(operation, answer).map((fault) => told(operation, answer, fault)))
      // Its period has two names, of which one may be given.
      if (answer.status === 400 && operation.id !== "exports.csv") wrong.push(told(operation, answer, "is refused"))
    }
    assert.deepStrictEqual(wrong, [])
  }))

  it.effect("tells which requests need a token", () => Effect.gen(function*() {
    const { faults, operations, send } = yield* Running
    // The others were asked without one before.
    const wrong = yield* Effect.forEach(operations.filter(({ scope }) => scope !== null), Effect.fnUntraced(function*(operation) {
      const answer = yield* send(operation, { anonymous: true })
      return [
        ...faults(operation, answer).map((fault) => told(operation, answer, fault)),
        ...answer.status === 401 ? [] : [told(operation, answer, "is not 401")]
      ]
    }), { concurrency: 4 })
    assert.deepStrictEqual(wrong.flat(), [])
  }))

  it.effect("tells what is answered about things that are not there", () => Effect.gen(function*() {
    const { faults, operations, send } = yield* Running
    const wrong = yield* Effect.forEach(operations.filter(({ ids }) => ids.length > 0), Effect.fnUntraced(function*(operation) {
      const answer = yield* send(operation, { parameters: Object.fromEntries(operation.ids.map((name) => [name, randomUUID()])) })
      return [
        ...faults(operation, answer).map((fault) => told(operation, answer, fault)),
        ...answer.status === 404 ? [] : [told(operation, answer, "is not 404")]
      ]
    }), { concurrency: 4 })
    assert.deepStrictEqual(wrong.flat(), [])
  }))

  it.effect("tells the types of what is sent: a field of another one is refused by its name", () => Effect.gen(function*() {
    const { faults, operations, send } = yield* Running
    const fields = operations.flatMap((operation) => operation.misfits.map((misfit) => ({ operation, ...misfit })))
    assert.isAbove(fields.length, 200)
    const wrong = yield* Effect.forEach(fields, Effect.fnUntraced(function*({ field, operation, value }) {
      const answer = yield* send(operation, { situation: { fields: { [field]: value } } })
      return [
        ...faults(operation, answer).map((fault) => told(operation, answer, `${field} ${JSON.stringify(value)}: ${fault}`)),
        ...answer.status === 400 && answer.text.includes(`"field":"${field}`) ? [] : [told(operation, answer, `${field} ${JSON.stringify(value)} is not refused by its name`)]
      ]
    }), { concurrency: 4 })
    assert.deepStrictEqual(wrong.flat(), [])
  }))

  it.effect("tells the truth of what takes things away", () => Effect.gen(function*() {
    const { operations } = yield* Running
    assert.deepStrictEqual(yield* everythingOf(operations.filter(isFarewell), done), [])
  }))
})

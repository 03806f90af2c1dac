/** Bytes that are no HTTP, calls that are no RPC, and text of every kind that is valid; against whole processes. */
import { assert, layer } from "@effect/vitest"
import { NodeFileSystem } from "@effect/platform-node"
import { otherRoutes } from "@englog/api/http/RouteTable"
import { WorkerId } from "@englog/domain/Ids"
import { EngLogClient } from "@englog/rpc/client/EngLogClient"
import { EngLogApi } from "@englog/rpc/http/Api"
import { EngLogRpcs } from "@englog/rpc/rpc/EngLogRpcs"
import { Context, DateTime, Effect, FileSystem, Layer, Redacted, Stream } from "effect"
import { FetchHttpClient, HttpMethod } from "effect/http"
import { HttpApi } from "effect/http-api"
import * as fc from "fast-check"
import * as path from "node:path"
import { brokenHttp, halfSent } from "../src/hostile/BrokenHttp.ts"
import { exchange, rawExchange, type Server } from "../src/hostile/Exchange.ts"
import { answerOf, codeComplaint, errorOf } from "../src/hostile/HostileRequest.ts"
import { validText } from "../src/hostile/HostileValues.ts"
import { at, type Json, operationsOf } from "../src/hostile/Operation.ts"
import { claimsOf, signed } from "../src/hostile/TokenAttacks.ts"
import { Installation } from "../src/Installation.ts"
import { anEntry, ask, register } from "../src/Person.ts"
import { playWorker } from "../src/PlayedWorker.ts"

const running = Effect.gen(function*() {
  const installation = yield* Installation
  const api = yield* installation.startApi()
  const { hostname: host, port } = new URL(api.url)
  const server: Server = { host, port: Number(port) }
  return { api, server, person: yield* register(api.url, "ada@example.com") }
})

class Running extends Context.Service<Running, Effect.Success<typeof running>>()("@englog/e2e/test/RunningRpc") {
  static readonly layer = Layer.effect(Running, running)
}

const world = Running.layer.pipe(
  Layer.provideMerge(Layer.mergeAll(Installation.layer(), FetchHttpClient.layer, NodeFileSystem.layer))
)

/** What `/rpc` answers to a body. */
const rpc = Effect.fnUntraced(function*(body: string | Uint8Array, headers: ReadonlyArray<readonly [string, string]> = []) {
  const { person, server } = yield* Running
  const sent = new Map([["authorization", `Bearer ${person.token}`], ["content-type", "application/x-ndjson"], ...headers])
  const outcome = yield* exchange(server, { attack: "", operation: "", method: "POST", target: "/rpc", headers: [...sent], body: Buffer.from(body) })
  return outcome._tag === "Answered" ? outcome : yield* Effect.die(new Error(JSON.stringify(outcome)))
})

const call = (tag: Json, payload: Json, more: Readonly<Record<string, Json>> = {}): string =>
  `${JSON.stringify({ _tag: "Request", id: "1", tag, payload, headers: [], ...more })}\n`

/** The failure that the only exit of an answer tells. */
const failureOf = (text: string): Json => {
  const cause = at(JSON.parse(text), "exit", "cause")
  return Array.isArray(cause) ? at(cause[0], "error") : undefined
}

/** A WebSocket at `/rpc-ws`: says a line, and hears the next message. */
const socket = Effect.gen(function*() {
  const { api } = yield* Running
  const heard: Array<string> = []
  const ws = yield* Effect.acquireRelease(
    Effect.callback<WebSocket>((resume) => {
      const opening = new WebSocket(`${api.url.replace("http", "ws")}/rpc-ws`)
      opening.addEventListener("message", ({ data }) => heard.push(String(data)))
      opening.addEventListener("open", () => resume(Effect.succeed(opening)))
    }),
    (open) => Effect.sync(() => open.close())
  )
  const next = Effect.callback<string>((resume) => {
    const [first] = heard.splice(0, 1)
    if (first !== undefined) return resume(Effect.succeed(first))
    ws.addEventListener("close", ({ code }) => resume(Effect.succeed(`closed ${code}`)), { once: true })
    ws.addEventListener("message", () => resume(Effect.succeed(heard.splice(0, 1)[0] ?? "")), { once: true })
  })
  return (line: string | Uint8Array<ArrayBuffer>) => Effect.andThen(Effect.sync(() => ws.send(line)), Effect.timeout(next, "10 seconds"))
})

layer(world, { excludeTestServices: true, timeout: "60 seconds" })("an API process", (it) => {
  it.effect("answers bytes that are no HTTP with a JSON error or hangs up", () => Effect.gen(function*() {
    const { api, server } = yield* Running
    for (const [name, bytes] of brokenHttp) {
      const outcome = yield* rawExchange(server, Buffer.from(bytes, "latin1"))
      if (outcome._tag !== "Answered") assert.deepStrictEqual([name, outcome], [name, { _tag: "Closed", reason: "" }])
      else {
        assert.isTrue(outcome.status >= 400 && outcome.status <= 499, `${name}: ${outcome.status} ${outcome.text}`)
        const answer = answerOf(outcome)
        assert.isDefined(answer, `${name}: ${outcome.status} ${outcome.text}`)
        assert.isUndefined(codeComplaint(outcome.status, answer), name)
      }
    }
    assert.strictEqual((yield* ask("GET", `${api.url}/ready`)).status, 200)
  }))

  it.effect("serves every operation that it documents, and beside them only what is meant for no document", () => Effect.gen(function*() {
    const { api } = yield* Running
    const documented = operationsOf(JSON.parse((yield* ask("GET", `${api.url}/openapi.json`)).text))
    assert.isAbove(documented.length, 100)
    const known = new Set(documented.map(({ method, path }) => `${method} ${path.replaceAll(/\{\w+\}/g, "{}")}`))
    const inCode: Array<string> = []
    HttpApi.reflect(EngLogApi, { onGroup: () => {}, onEndpoint: ({ endpoint }) => inCode.push(`${endpoint.method} ${endpoint.path.replaceAll(/:\w+/g, "{}")}`) })
    assert.deepStrictEqual([...known].sort(), inCode.sort())
    const probed = [...known, ...otherRoutes.map(({ method, path }) => `${method} ${path.replaceAll(/:\w+/g, "{}")}`)]
    for (const route of probed) {
      const [method = "", path = ""] = route.split(" ")
      const answer = HttpMethod.isHttpMethod(method) ? yield* ask(method, `${api.url}${path.replaceAll("{}", "x")}`) : yield* Effect.die(new Error(route))
      assert.notMatch(answer.text, /"code":"(unknown_route|method_not_allowed)"/, route)
      // A path has no other methods than those that some path of the document like it names.
      const isLike = (other: string) => probed.some((one) => new RegExp(`^${one.replaceAll("{}", "[^/]+")}$`).test(`${other} ${path.replaceAll("{}", "x")}`))
      const others = ["PUT", "PATCH"].filter((other) => !isLike(other))
      for (const other of others) {
        if (HttpMethod.isHttpMethod(other)) assert.include((yield* ask(other, `${api.url}${path.replaceAll("{}", "x")}`)).text, "method_not_allowed", `${other} ${path}`)
      }
    }
  }))

  it.effect("outlives clients that leave in the middle of a request", () => Effect.gen(function*() {
    const { api, server } = yield* Running
    yield* Effect.forEach(Array.from({ length: halfSent.length }, (_, length) => length), (length) =>
      Effect.gen(function*() {
        const outcome = yield* rawExchange(server, Buffer.from(halfSent.slice(0, length)), "half-closed")
        if (outcome._tag === "Answered") assert.isDefined(errorOf(outcome), `${length}: ${outcome.text}`)
        else assert.deepStrictEqual([length, outcome], [length, { _tag: "Closed", reason: "" }])
      }), { concurrency: 8 })
    assert.strictEqual((yield* ask("GET", `${api.url}/ready`)).status, 200)
  }))

  it.effect("refuses RPC calls that cannot be read, saying where", () => Effect.gen(function*() {
    const good = call("ListWorkers", null)
    const refused: ReadonlyArray<readonly [body: string | Uint8Array, status: number, reason: string]> = [
      ["", 400, "body: holds no call"],
      ["\n\n", 400, "body: holds no call"],
      ["hello\n", 400, "line 1: message: is not valid JSON: unexpected \"h\" at line 1, column 1"],
      [good.trimEnd(), 400, "line 1: must end with a line feed"],
      [`${good}${good.slice(0, 30)}\n`, 400, "line 2: message: is not valid JSON: it ends too early"],
      [Buffer.concat([Buffer.from([0x22, 0xff, 0x22]), Buffer.from("\n")]), 400, "body: is not valid UTF-8"],
      [`\uFEFF${good}`, 400, "line 1: message: is not valid JSON: unexpected"],
      ["null\n", 400, "line 1: _tag: must be one of Request, Ack, Interrupt, Ping, Eof"],
      ["[]\n", 400, "_tag: must be one of"],
      ["{\"_tag\":\"Defect\"}\n", 400, "_tag: must be one of"],
      [call("DropTables", null), 400, "tag: must be one of CreateEntry"],
      [call("constructor", null), 400, "tag: must be one of"],
      [call(["ListWorkers"], null), 400, "tag: must be one of"],
      [call("ListWorkers", null, { headers: null }), 400, "headers: must be a list"],
      [call("ListWorkers", null, { headers: [["a"]] }), 400, "headers[0][1]: is required"],
      [call("ListWorkers", null, { id: {} }), 400, "id: must be"],
      [call("ListWorkers", null, { spanId: "x" }), 400, "spanId: must be"],
      [good.replace("\"id\":\"1\"", "\"id\":\"1\",\"id\":\"2\""), 400, "line 1: id: is given more than once"],
      [call("GetEntry", { id: "x" }).replace("\"x\"", "\"\\ud800\""), 400, "payload.id: must not contain half of a surrogate pair"],
      [call("GetEntry", { id: "x" }).replace("\"x\"", "1e999"), 400, "payload.id: must be a number of at most"],
      [call("GetEntry", 1).replace("1,\"headers", `${"[".repeat(50_000)},"headers`), 400, "payload: must not be nested"],
      [call("GetEntry", "x".repeat(1024 * 1024)), 413, "body: must be at most 1048576 bytes"]
    ]
    for (const [body, status, reason] of refused) {
      const answer = yield* rpc(body)
      assert.strictEqual(answer.status, status, `${reason}: ${answer.text}`)
      const told = answerOf(answer)
      assert.isDefined(told, answer.text)
      assert.include(told.error, reason)
      assert.isUndefined(codeComplaint(status, told))
    }
    assert.strictEqual((yield* rpc(good, [["content-type", "text/plain"]])).status, 415)
    assert.strictEqual((yield* rpc(good)).status, 200)
  }))

  it.effect("fails every procedure whose payload does not fit, naming what is wrong", () => Effect.gen(function*() {
    for (const tag of EngLogRpcs.requests.keys()) {
      for (const payload of [{ unknown_field: 1 }, 1, "text", [], [[]], true]) {
        const answer = yield* rpc(call(tag, payload))
        const failure = failureOf(answer.text)
        assert.strictEqual(at(failure, "reason"), "bad_request", `${tag} ${JSON.stringify(payload)}: ${answer.text}`)
        assert.match(String(at(failure, "message")), /unknown field "unknown_field"|body: must be/, tag)
        assert.strictEqual(at(failure, "code"), "invalid_field", tag)
        assert.match(String(at(failure, "details", 0, "field")), /^(unknown_field|body)$/, tag)
      }
    }
    const message = (tag: string, payload: Json) => Effect.map(rpc(call(tag, payload)), ({ text }) => String(at(failureOf(text), "message")))
    assert.include(yield* message("WatchTask", { task_id: `insight_${"x".repeat(20)}`, after: -1 }), "after: ")
    assert.include(yield* message("WatchTask", { task_id: `insight_${"x".repeat(20)}`, after: 2 ** 40 }), "after: ")
    assert.include(yield* message("CreateEntry", { ...anEntry, end_time: anEntry.start_time }), "end_time: must be after start_time")
    assert.include(yield* message("ListEntries", { start_date: "2026-02-01", end_date: "2026-01-31" }), "end_date: must not be before start_date")
  }))

  it.effect("takes no RPC without a token of its own", () => Effect.gen(function*() {
    for (const authorization of ["", "Basic YTpi", "Bearer x", "Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0."]) {
      const answer = yield* rpc(call("ListWorkers", null), [["authorization", authorization]])
      assert.strictEqual(at(failureOf(answer.text), "reason"), "unauthorized", authorization)
    }
  }))

  it.effect("takes no token that it signed itself but that has expired, has no end, or is of no use here", () => Effect.gen(function*() {
    const { api, person } = yield* Running
    const fs = yield* FileSystem.FileSystem
    const key = (yield* fs.readFileString(path.join((yield* Installation).dataDir, "jwt_secret_key"))).trim()
    const claims = claimsOf(person.token)
    const now = Number(claims["iat"])
    const asked = (header: Json, more: Readonly<Record<string, Json>>) =>
      ask("GET", `${api.url}/v1/auth/me`, { token: signed(header, { ...claims, ...more }, key) })
    const hs256 = { alg: "HS256", typ: "JWT" }
    assert.strictEqual((yield* asked(hs256, {})).status, 200, "signed by the right key")
    const expired = yield* asked(hs256, { iat: now - 3_600, nbf: now - 3_600, exp: now - 60 })
    assert.deepStrictEqual([expired.status, JSON.parse(expired.text)], [401, {
      error: "authorization: the token has expired",
      code: "unauthenticated",
      details: [{ field: "authorization", reason: "the token has expired" }]
    }])
    for (const more of [{ exp: undefined }, { nbf: now + 3_600 }, { type: "refresh" }, { type: undefined }, { sub: "ada" }, { family: "x" }, { exp: "never" }]) {
      assert.strictEqual((yield* asked(hs256, more)).status, 401, JSON.stringify(more))
    }
    assert.strictEqual((yield* asked({ alg: "HS512" }, {})).status, 401)
  }))

  it.effect("says over a WebSocket what is wrong with a message, and goes on", () => Effect.gen(function*() {
    const { person } = yield* Running
    const say = yield* socket
    const signed = { headers: [["authorization", `Bearer ${person.token}`]] }
    const wrong = [
      ["hello\n", "message: is not valid JSON"],
      ["null\n", "_tag: must be one of"],
      [call("DropTables", null), "tag: must be one of"],
      [call("ListWorkers", null, { headers: 5 }), "headers: must be a list"],
      [call("GetEntry", { id: "x" }).replace("\"x\"", "\"\\u0000\""), "payload.id: must not contain the NUL character"],
      [Buffer.from([0x22, 0xff, 0x22, 0x0a]), "valid"]
    ] as const
    for (const [line, reason] of wrong) assert.include(yield* say(line), reason)
    const failed = JSON.parse(yield* say(call("GetEntry", { id: "x" }, signed)))
    assert.include(JSON.stringify(failed), "bad_request")
    assert.include(JSON.stringify(failed), "id: must be a UUID")
    assert.include(yield* say(call("ListWorkers", null, signed)), "\"Success\"")
    assert.strictEqual(yield* say("x".repeat(1024 * 1024 + 1)), "closed 1009")
  }).pipe(Effect.scoped))

  it.effect("keeps valid text of every kind as it is", () => Effect.gen(function*() {
    const { api, person } = yield* Running
    const { token } = person
    const client = yield* Layer.build(EngLogClient.layer({ url: api.url, auth: Redacted.make(token) }))
    const englog = yield* Effect.provide(EngLogClient, client)
    const worker = yield* playWorker(api.grpc, WorkerId.make("played"))
    const words = fc.record({ title: validText({ max: 200 }), description: validText({ max: 2_000 }), long: validText({ min: 200, max: 200 }), tag: validText({ max: 50 }), context: validText({ max: 1_000 }) })
    const samples = fc.sample(words, 25)
    yield* Effect.forEach(samples, ({ description, long, tag, title }) => Effect.gen(function*() {
      const tags = [tag.toLowerCase()].filter((text) => [...text].length <= 50)
      const created = yield* ask("POST", `${api.url}/v1/logs`, { token, body: { ...anEntry, title, description, tags } })
      assert.strictEqual(created.status, 201, created.text)
      const read: Json = JSON.parse((yield* ask("GET", `${api.url}/v1/logs/${String(at(JSON.parse(created.text), "id"))}`, { token })).text)
      assert.deepStrictEqual([at(read, "title"), at(read, "description"), at(read, "tags")], [title, description, tags])
      const project = yield* ask("POST", `${api.url}/v1/projects`, { token, body: { name: long, description } })
      const again: Json = JSON.parse((yield* ask("GET", `${api.url}/v1/projects/${String(at(JSON.parse(project.text), "id"))}`, { token })).text)
      assert.deepStrictEqual([at(again, "name"), at(again, "description")], [long, description])
      const times = { start_time: DateTime.makeUnsafe(anEntry.start_time), end_time: DateTime.makeUnsafe(anEntry.end_time) }
      const entry = yield* englog.CreateEntry({ title: long, description: title, type: "code", tags: [], value_rating: "low", impact_level: "team", ...times })
      const found = yield* englog.GetEntry({ id: entry.id })
      assert.deepStrictEqual([found.title, found.description], [long, title])
    }), { concurrency: 4 })
    const entry = yield* person.addEntry({})
    const tasks = yield* Stream.toPull(worker.tasks.pipe(Stream.filter((message) => message._tag === "Task")))
    for (const { context, tag } of samples.slice(0, 10)) {
      const given = { [tag === "__proto__" ? "x" : tag]: [context, { text: context }], constructor: 1.5 }
      yield* person.submit([entry], { context: given, insight_type: tag })
      const [message] = yield* tasks
      const data: Json = JSON.parse(yield* worker.data(message.task))
      assert.deepStrictEqual(at(data, "context"), given)
      assert.strictEqual(at(data, "insight_type"), tag)
      yield* worker.report(message.task, { content: "Done.", tags: [], confidence: 1 })
    }
  }).pipe(Effect.scoped))
})

/** An API of its own whose handler answers a refusal itself, rather than fail with it. */
import { NodeHttpClient, NodeServices } from "@effect/platform-node"
import { assert, layer } from "@effect/vitest"
import { AuthApi } from "@englog/rpc/http/AuthApi"
import { Authorization } from "@englog/rpc/http/Authorization"
import { Idempotent } from "@englog/rpc/http/Idempotent"
import { RequestErrors } from "@englog/rpc/http/RequestErrors"
import { Effect, Layer, Schema } from "effect"
import { HttpServerResponse } from "effect/http"
import { HttpApi, HttpApiBuilder, HttpApiEndpoint, HttpApiGroup } from "effect/http-api"
import { SqlClient } from "effect/sql"
import { AuthHttp } from "../../src/auth/AuthHttp.ts"
import { AuthorizationLive } from "../../src/auth/AuthorizationLive.ts"
import { HttpListener } from "../../src/http/edge/HttpListener.ts"
import { RequestErrorsLive } from "../../src/http/errors/RequestErrorsLive.ts"
import { IdempotentLive } from "../../src/idempotency/IdempotentLive.ts"
import { Services, TestApi } from "../http/TestApi.ts"
import { engineer } from "../support/Engineer.ts"
import { TestDatabase } from "../support/TestDatabase.ts"

class Things extends HttpApiGroup.make("things").add(
  HttpApiEndpoint.post("make", "/v1/things", { success: Schema.String })
).middleware(Idempotent).middleware(Authorization) {}

class OwnApi extends HttpApi.make("englog").add(AuthApi).add(Things).middleware(RequestErrors) {}

let served = 0

const ThingsHttp = HttpApiBuilder.group(OwnApi, "things", (handlers) =>
  handlers.handle("make", () => Effect.sync(() => HttpServerResponse.jsonUnsafe({ error: `refusal ${++served}` }, { status: 409 }))))

const Routes = HttpApiBuilder.layer(OwnApi).pipe(
  Layer.provide([AuthHttp.layer, ThingsHttp]),
  Layer.provide([AuthorizationLive, IdempotentLive, RequestErrorsLive])
)

const server = TestApi.client.pipe(
  Layer.provideMerge(HttpListener.serve(Routes)),
  Layer.provideMerge(HttpListener.layer({ host: "127.0.0.1", port: 0, drain: "100 millis" })),
  Layer.provideMerge(Services),
  Layer.provideMerge(TestDatabase.layer),
  Layer.provide([NodeHttpClient.layerNodeHttp, NodeServices.layer]),
  Layer.orDie
)

layer(server, { excludeTestServices: true, timeout: "60 seconds" })("a refusal that a handler answers itself", (it) => {
  it.effect("is not kept: the request is carried out when it comes again", () => Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const ada = yield* engineer("refusals@example.com")
    const send = ada.post("/v1/things", undefined, { "idempotency-key": "again" })
    assert.deepStrictEqual([(yield* send).error, (yield* send).error], ["refusal 1", "refusal 2"])
    assert.lengthOf(yield* sql`SELECT 1 FROM idempotency_keys WHERE user_id = ${ada.id}`, 0)
  }))
})

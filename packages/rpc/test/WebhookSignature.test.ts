import { verifyWebhook, webhookHeaders } from "@englog/rpc/client/WebhookSignature"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { createHmac } from "node:crypto"

/** The vector that the specification's own libraries are tested with. */
const vector = {
  secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
  id: "msg_p5jXN8AQM9LWM0D4loKWxJek",
  at: new Date(1_614_265_330_000),
  body: "{\"test\": 2432232314}",
  signature: "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
}
const other = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"

const now = () => new Date()

describe("a signature of Standard Webhooks", () => {
  it("is that of the specification", () => {
    assert.deepStrictEqual(webhookHeaders([vector.secret], vector), {
      "webhook-id": vector.id, "webhook-timestamp": "1614265330", "webhook-signature": vector.signature
    })
    const content = `${vector.id}.1614265330.${vector.body}`
    assert.strictEqual(`v1,${createHmac("sha256", Buffer.from(vector.secret.slice(6), "base64")).update(content).digest("base64")}`, vector.signature)
  })

  it.effect("fits each of two secrets, and none besides", () => Effect.gen(function*() {
    const headers = webhookHeaders([vector.secret, other], { ...vector, at: now() })
    for (const secret of [vector.secret, other]) assert.deepStrictEqual(yield* verifyWebhook(secret, headers, vector.body), { test: 2432232314 })
    const third = "whsec_AAAAsBQIhrscChlQIMV+b5sSYspob7oD"
    assert.strictEqual((yield* Effect.flip(verifyWebhook(third, headers, vector.body)))._tag, "WebhookRefused")
    assert.deepStrictEqual(yield* verifyWebhook([third, other], headers, vector.body), { test: 2432232314 })
    assert.strictEqual((yield* Effect.flip(verifyWebhook([], headers, vector.body))).message, "no secret was given")
  }))

  it.effect("holds for the body, the id and the time that it was made for", () => Effect.gen(function*() {
    const headers = webhookHeaders([vector.secret], { ...vector, at: now() })
    const refused = [
      [headers, `${vector.body} `],
      [{ ...headers, "webhook-id": "msg_other" }, vector.body],
      [{ ...headers, "webhook-timestamp": String(Number(headers["webhook-timestamp"]) - 1) }, vector.body],
      [{ ...headers, "webhook-signature": "v1,AAAA" }, vector.body],
      [{ ...headers, "webhook-signature": undefined }, vector.body],
      [webhookHeaders([vector.secret], vector), vector.body],
      [webhookHeaders([vector.secret], { ...vector, at: new Date(now().getTime() + 600_000) }), vector.body]
    ] as const
    for (const [given, body] of refused) assert.strictEqual((yield* Effect.flip(verifyWebhook(vector.secret, given, body)))._tag, "WebhookRefused")
    assert.strictEqual((yield* Effect.flip(verifyWebhook("whsec_***", headers, vector.body)))._tag, "WebhookRefused")
  }))
})

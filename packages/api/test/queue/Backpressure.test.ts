import { assert, layer } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { SqlClient } from "effect/sql"
import { FieldCipher } from "../../src/crypto/FieldCipher.ts"
import { QueueLimits } from "../../src/queue/Backpressure.ts"
import { Engine } from "../../src/queue/Engine.ts"
import { EngineSql } from "../../src/queue/EngineSql.ts"
import { TaskQueue } from "../../src/queue/TaskQueue.ts"
import { claim, claimant, encryptionKeys, newKind, newOwner, newSubmission } from "../support/QueueEngine.ts"
import { TestDatabase } from "../support/TestDatabase.ts"

const narrow = Engine.pipe(
  Layer.provide([FieldCipher.layer(encryptionKeys), EngineSql.layer, Layer.succeed(QueueLimits, { perQueue: 30, perTenant: 10 })]),
  Layer.provideMerge(TestDatabase.layer),
  Layer.orDie
)

const AT_ONCE = 8

/** How many of so many submissions are accepted, and what the others are told. */
const submit = Effect.fnUntraced(function*(parts: Parameters<typeof newSubmission>[0], count: number) {
  const queue = yield* TaskQueue
  const submission = yield* newSubmission(parts)
  const answers = yield* Effect.all(Array.from({ length: count }, () => Effect.result(queue.submit(submission))), { concurrency: AT_ONCE })
  const refused = answers.flatMap((answer) => answer._tag === "Failure" ? [answer.failure] : [])
  return { accepted: answers.length - refused.length, refused }
})

layer(narrow, { excludeTestServices: true, timeout: "60 seconds" })("back-pressure", (it) => {
  it.effect("refuses what a tenant has too much of, and leaves the others alone", () => Effect.gen(function*() {
    const kind = newKind()
    const [busy, quiet] = [yield* newOwner(), yield* newOwner()]
    const queue = "of-tenants"
    const first = yield* submit({ kind, queue, owner: busy }, 20)
    assert.isTrue(first.accepted <= 10 && first.accepted > 10 - AT_ONCE, `${first.accepted} were accepted`)
    assert.deepInclude(first.refused[0], { _tag: "QueueFull", message: "this organization already has 10 tasks waiting; try again later", retry_after: 1 })
    assert.strictEqual((yield* submit({ kind, queue, owner: quiet }, 3)).accepted, 3)
  }))

  it.effect("refuses what a queue has too much of, delayed tasks included, and takes more once some have gone", () => Effect.gen(function*() {
    const kind = newKind()
    const queue = "of-all"
    const owners = yield* Effect.forEach(Array.from({ length: 4 }), newOwner)
    const accepted = yield* Effect.forEach(owners, (owner, index) =>
      Effect.map(submit({ kind, queue, owner, more: { delay: index === 0 ? 60_000 : 0 } }, 10), (all) => all.accepted))
    const all = accepted.reduce((sum, one) => sum + one, 0)
    // What each tenant and the queue is refused early adds up.
    assert.isTrue(all <= 30 && all > 30 - 2 * AT_ONCE, `${all} were accepted`)
    assert.lengthOf(yield* claim(claimant(kind, { queues: [queue], slots: 5 })), 5)
    const again = submit({ kind, queue, owner: owners[3] ?? (yield* newOwner()) }, 1).pipe(
      Effect.repeat({ until: ({ accepted }) => accepted === 1 }), Effect.timeout("5 seconds"))
    yield* again
  }))

  it.effect("refuses a bulk submission whole", () => Effect.gen(function*() {
    const [queue, sql] = [yield* TaskQueue, yield* SqlClient.SqlClient]
    const kind = newKind()
    const submission = yield* newSubmission({ kind, queue: "of-bulks" })
    const refused = yield* Effect.flip(queue.submitAll(Array.from({ length: 11 }, () => submission)))
    assert.strictEqual(refused._tag, "QueueFull")
    assert.lengthOf(yield* sql`SELECT 1 FROM tasks WHERE kind = ${kind}`, 0)
  }))
})

import { assert, layer } from "@effect/vitest"
import { TaskId } from "@englog/domain/Ids"
import { Context, Effect, Layer, Logger, Option, Queue, type Scope } from "effect"
import { type Topic, Wakeups } from "../../src/queue/Wakeups.ts"
import { TestDatabase } from "../support/TestDatabase.ts"

/** The wake-ups of one more API process on the suite's database, once it listens. */
const replica = Effect.gen(function*() {
  const wakeups = Context.get(yield* Layer.build(Layer.fresh(Wakeups.layer)), Wakeups)
  const listening = yield* wakeups.subscribe("tasks")
  // Whoever begins to listen looks at everything once.
  yield* Effect.timeout(Queue.take(listening), "5 seconds")
  return wakeups
})

const woken = (wake: Queue.Dequeue<void>) => Effect.timeout(Queue.take(wake), "5 seconds")
const asleep = (wake: Queue.Dequeue<void>) => Queue.poll(wake).pipe(Effect.map(Option.isNone))
const task = (n: number): Topic => `task:${TaskId.make(`test_${"x".repeat(80)}_${n}`)}`

layer(Layer.mergeAll(TestDatabase.layer, Logger.layer([])), { excludeTestServices: true, timeout: "60 seconds" })("wake-ups", (it) => {
  it.effect("reach subscribers of the topic in the same process at once, and nobody else", () => Effect.gen(function*() {
    const wakeups = yield* replica
    const [tasks, mine, other] = [yield* wakeups.subscribe("tasks"), yield* wakeups.subscribe(task(1)), yield* wakeups.subscribe(task(2))]
    yield* wakeups.wake("tasks", task(1))
    assert.deepStrictEqual([yield* asleep(tasks), yield* asleep(mine), yield* asleep(other)], [false, false, true])
  }))

  it.effect("that nobody took are merged into one", () => Effect.gen(function*() {
    const wakeups = yield* replica
    const wake = yield* wakeups.subscribe("cancel")
    yield* wakeups.wake("cancel")
    yield* wakeups.wake("cancel")
    yield* woken(wake)
    assert.isTrue(yield* asleep(wake))
  }))

  it.effect("cross to other replicas on the same database, by topic", () => Effect.gen(function*() {
    const [one, other] = [yield* replica, yield* replica]
    const [mine, stranger] = [yield* other.subscribe(task(3)), yield* other.subscribe(task(4))]
    yield* one.wake(task(3))
    yield* woken(mine)
    assert.isTrue(yield* asleep(stranger))
    yield* one.wake(task(4))
    yield* woken(stranger)
  }))

  it.effect("cross although the process that has them to tell ends at once", () => Effect.gen(function*() {
    const stays = yield* replica
    for (let n = 10; n < 20; n++) {
      const wake = yield* stays.subscribe(task(n))
      yield* Effect.scoped(Effect.flatMap(replica, (leaves) => leaves.wake(task(n))))
      yield* woken(wake)
    }
  }))

  it.effect("do not come back as an echo", () => Effect.gen(function*() {
    const [one, other] = [yield* replica, yield* replica]
    const [here, there] = [yield* one.subscribe(task(5)), yield* other.subscribe(task(5))]
    yield* one.wake(task(5))
    yield* woken(here)
    yield* woken(there)
    // An answer from the other replica travels behind what would be the echo.
    const answer = yield* one.subscribe(task(6))
    yield* other.wake(task(6))
    yield* woken(answer)
    assert.isTrue(yield* asleep(here))
  }))

  it.effect("cross as 'look at everything' where there are too many for one message", () => Effect.gen(function*() {
    const [one, other] = [yield* replica, yield* replica]
    const wakes = yield* Effect.forEach([100, 250, 399], (n) => other.subscribe(task(n)))
    yield* one.wake(...Array.from({ length: 400 }, (_, n) => task(n)))
    yield* Effect.forEach(wakes, woken)
  }))

  it.effect("are forgotten with their subscriber", () => Effect.gen(function*() {
    const wakeups = yield* replica
    const wake = yield* Effect.scoped<Queue.Dequeue<void>, never, Scope.Scope>(wakeups.subscribe("cancel"))
    yield* wakeups.wake("cancel")
    assert.isTrue(yield* asleep(wake))
  }))
})

import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { WorkerSessions } from "../../src/cluster/WorkerSessions.ts"
import { operate } from "../support/Admin.ts"
import { patientApi, person, workerFor } from "../support/Background.ts"
import { newKind, newOwner } from "../support/QueueEngine.ts"
import { eventually } from "../support/WholeApi.ts"

const refused = (...args: ReadonlyArray<string>) => Effect.map(Effect.flip(operate(...args)), ({ message }) => message)

layer(patientApi(), { excludeTestServices: true, timeout: "60 seconds" })("npm run admin, beside a running API server", (it) => {
  it.effect("shows queues, pauses, resumes and limits them, and the audit log knows", () => Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const [ada, root] = [yield* person(), yield* person({ admin: true })]
    const kind = newKind()
    const worker = yield* workerFor([kind], { queues: ["slow"] })
    assert.strictEqual(yield* operate("pause-queue", "slow"), "queue=slow paused=true max_running=none")
    yield* eventually(root.get("/queue/stats"), (stats) => stats.text.includes("\"queue\":\"slow\",\"paused\":true"))
    const id = yield* ada.started({ task_type: kind, queue: "slow" })
    yield* Effect.sleep("1200 millis")
    assert.strictEqual((yield* ada.get(`/tasks/${id}`)).at("state"), "pending")
    assert.strictEqual(yield* operate("limit-queue", "slow", "3"), "queue=slow paused=true max_running=3")
    const [line = "", total] = (yield* operate("queues")).split("\n").filter((one) => /slow|In all/.test(one))
    assert.match(line, /^queue=slow paused=true max_running=3 ready=1 delayed=0 blocked=0 running=0 oldest_due_seconds=\d+$/)
    assert.match(total ?? "", /^In all: pending=1 running=0 dead_letters=0$/)
    assert.strictEqual(yield* operate("resume-queue", "slow"), "queue=slow paused=false max_running=3")
    assert.strictEqual((yield* worker.next).task_id, id)
    assert.strictEqual(yield* operate("limit-queue", "*", "none"), "queue=* paused=false max_running=none")
    const logged = yield* sql<{ event: string; user_id: string | null }>`SELECT event, user_id FROM security_events WHERE event LIKE 'queue%' ORDER BY at`
    assert.deepStrictEqual(logged.map(({ event }) => event), ["queue_paused", "queue_limited", "queue_resumed", "queue_limited"])
    assert.isTrue(logged.every(({ user_id }) => user_id === null), "nobody with an account did it")
  }), 60_000)

  it.effect("names what is wrong with a command", () => Effect.gen(function*() {
    assert.strictEqual(yield* refused("pause-queue", "solw"), "queue: nothing waits in solw, and no worker takes from it")
    assert.strictEqual(yield* refused("pause-queue", "*"), "queue: name one; all at once can only be limited")
    assert.strictEqual(yield* refused("pause-queue", "a b"), "queue: must be the name of a queue, or *")
    for (const wrong of ["-1", "x", "1.5", "1000001", ""]) {
      assert.strictEqual(yield* refused("limit-queue", "default", wrong), "max_running: must be a whole number from 0 to 1000000, or none", wrong)
    }
    const { organization_id } = yield* newOwner()
    assert.strictEqual(yield* refused("set-weight", organization_id, "101"), "weight: must be a whole number from 1 to 100")
    assert.strictEqual(yield* refused("set-weight", "acme", "2"), "organization_id: must be the id of an organization")
    assert.strictEqual(yield* refused("set-weight", "00000000-0000-4000-8000-000000000000", "2"), "organization_id: there is no such organization")
    assert.strictEqual(yield* refused("replay", "x"), "task_id: must be the id of a task")
    assert.strictEqual(yield* refused("replay", "task_12345678"), "there is no dead letter task_12345678")
    assert.strictEqual(yield* refused("pause-worker", "nobody"), "worker_id: no worker with this id is connected or paused")
    for (const incomplete of [["pause-queue"], ["queues", "slow"], ["limit-queue", "slow"], ["toString"], ["replay", "a", "b", "c"]]) {
      assert.match(yield* refused(...incomplete), /^usage: npm run admin/)
    }
  }), 60_000)

  it.effect("lists, shows and replays dead letters of all organizations, each once", () => Effect.gen(function*() {
    const people = [yield* person(), yield* person()]
    const kind = newKind()
    const worker = yield* workerFor([kind], { queues: ["letters"] })
    assert.strictEqual(yield* operate("dead-letters"), "There are no dead letters.")
    const failed: Array<string> = []
    for (const one of people) {
      failed.push(yield* one.started({ task_type: kind, queue: "letters", payload: { n: failed.length }, max_retries: 0 }))
      yield* worker.report(yield* worker.next, { _tag: "Failed", error: "nobody is at home", retryable: true })
    }
    const [first = "", second = ""] = failed
    const listed = (yield* operate("dead-letters", "letters")).split("\n")
    assert.deepStrictEqual(listed.map((line) => line.split(" ")[0]), [`task_id=${second}`, `task_id=${first}`])
    assert.match(listed[0] ?? "", / queue=letters .* reason=error error="nobody is at home"$/)
    const shown = (yield* operate("dead-letter", first)).split("\n")
    assert.includeMembers(shown, [`task_id=${first}`, "replayed_as=-", "payload={\"n\":0}"])
    const sentence = yield* operate("replay", first)
    assert.strictEqual(sentence, `${first} is tried anew as ${(yield* worker.next).task_id}.`)
    assert.match(yield* refused("replay", first), /^it was replayed already, as /)
    assert.strictEqual(yield* operate("replay-all", "elsewhere"), "There is nothing to replay.")
    assert.strictEqual(yield* operate("replay-all"), `${second} is tried anew as ${(yield* worker.next).task_id}.`)
    assert.strictEqual(yield* operate("dead-letters"), "There are no dead letters.")
  }), 60_000)

  it.effect("sets and lists the shares of organizations", () => Effect.gen(function*() {
    assert.strictEqual(yield* operate("weights"), "Every organization has weight=1.")
    const { organization_id } = yield* newOwner()
    assert.strictEqual(yield* operate("set-weight", organization_id, "3"), `organization_id=${organization_id} weight=3`)
    assert.strictEqual(yield* operate("set-weight", organization_id, "5"), `organization_id=${organization_id} weight=5`)
    assert.strictEqual(yield* operate("weights"), `organization_id=${organization_id} weight=5`)
  }), 60_000)

  it.effect("lists workers, and pauses and resumes one", () => Effect.gen(function*() {
    const ada = yield* person()
    const kind = newKind()
    const worker = yield* workerFor([kind], { worker_id: "paused-at-the-server", slots: 4 })
    assert.strictEqual(yield* operate("pause-worker", worker.worker_id), `worker_id=${worker.worker_id} paused=true`)
    const listed = yield* eventually(operate("workers"), (text) => text.includes(`worker_id=${worker.worker_id} status=paused`))
    assert.include(listed, `worker_id=${worker.worker_id} status=paused paused=true active_tasks=0 max_concurrent_tasks=4 queues=default`)
    const sessions = yield* WorkerSessions
    yield* eventually(sessions.all, (all) => all.some(({ paused, row }) => paused && row.worker_id === worker.worker_id))
    const id = yield* ada.started({ task_type: kind })
    yield* Effect.sleep("1200 millis")
    assert.strictEqual((yield* ada.get(`/tasks/${id}`)).at("state"), "pending")
    assert.strictEqual(yield* operate("resume-worker", worker.worker_id), `worker_id=${worker.worker_id} paused=false`)
    assert.strictEqual((yield* worker.next).task_id, id)
  }), 60_000)
})

/**
 * Ours, submitting from outside: a program with the published RPC client over one WebSocket, logged in like anybody else.
 * ENGLOG_URL names the API server.
 */
import { EngLogClient } from "@englog/rpc/client/EngLogClient"
import { NodeHttpClient } from "@effect/platform-node"
import { password, register } from "@englog/e2e/Person"
import { Effect, ManagedRuntime, Redacted } from "effect"
import { loadOf } from "../Callers.ts"
import { type Engine, type Job, noAddress } from "../Engine.ts"
import { BenchRepo } from "./BenchRepo.ts"
import { BenchTask } from "./BenchTask.ts"

export const RpcEngine: Engine = {
  name: "englog",
  submitter: async ({ url }) => {
    const server = process.env["ENGLOG_URL"] ?? ""
    const email = "bench@example.com"
    await Effect.runPromise(register(server, email).pipe(Effect.provide(NodeHttpClient.layerUndici)))
    const runtime = ManagedRuntime.make(EngLogClient.layer({ url: server, auth: { email, password: Redacted.make(password) }, transport: "websocket" }))
    const client = await runtime.runPromise(EngLogClient)
    const request = ({ ms, n }: Job) => ({ task_type: BenchTask.kind, payload: { n, ms } })
    const one = (job: Job) => runtime.runPromise(client.SubmitTask(request(job)))
    const repo = new BenchRepo(url)
    return {
      ...loadOf({ one, many: (jobs) => runtime.runPromise(client.SubmitTasks({ tasks: jobs.map(request) })) }),
      open: () => repo.open(),
      clear: () => repo.clear(),
      idleListeners: () => Promise.reject(new Error("not asked of this one")),
      address: noAddress
    }
  },
  worker: () => Promise.reject(new Error("the client runs no jobs"))
}

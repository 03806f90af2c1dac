/**
 * Gives every test project the same PostgreSQL server: TEST_DATABASE_URL where it is set, else one embedded server in a
 * temporary folder that lives as long as the run. Suites make their own databases on it (TestDatabase).
 */
import type { TestProject } from "vitest/node"
import { startTestServer, type TestServer } from "./TestServer.ts"

declare module "vitest" {
  interface ProvidedContext {
    /** Administrator's URL of the shared server. */
    readonly databaseServer: string
    /** Names this run's databases on it. */
    readonly databaseRun: string
  }
}

/** Each project loads this module anew; the server is the process's. */
const shared: { users: number; server?: Promise<TestServer> } = sharedByAllProjects("englog/test-server")

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  shared.users++
  shared.server ??= startTestServer(process.env["TEST_DATABASE_URL"])
  const server = await shared.server
  project.provide("databaseServer", server.url)
  project.provide("databaseRun", server.run)
  return async () => {
    shared.users--
    if (shared.users === 0) await server.stop()
  }
}

function sharedByAllProjects(name: string): { users: number; server?: Promise<TestServer> } {
  const key = Symbol.for(name)
  const existing: unknown = Reflect.get(globalThis, key)
  if (isShared(existing)) return existing
  const made = { users: 0 }
  Reflect.set(globalThis, key, made)
  return made
}

function isShared(value: unknown): value is { users: number; server?: Promise<TestServer> } {
  return typeof value === "object" && value !== null && "users" in value
}

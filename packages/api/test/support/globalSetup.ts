/**
 * Gives every test project the same PostgreSQL server: TEST_DATABASE_URL where it is set, else one embedded server in a
 * temporary folder that lives as long as the run. Suites make their own databases on it (TestDatabase).
 */
import { randomBytes } from "node:crypto"
import type { TestProject } from "vitest/node"
import { type ServerHandle, startServer, stopServer } from "./TestServer.ts"

declare module "vitest" {
  interface ProvidedContext {
    /** Administrator's URL of the shared server. */
    readonly databaseServer: string
    /** Names this run's template database. */
    readonly databaseRun: string
  }
}

let users = 0
let server: Promise<ServerHandle> | undefined
const run = randomBytes(5).toString("hex")

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  users++
  server ??= startServer(process.env["TEST_DATABASE_URL"])
  const handle = await server
  project.provide("databaseServer", handle.url)
  project.provide("databaseRun", run)
  return async () => {
    users--
    if (users === 0) await stopServer(handle, run)
  }
}

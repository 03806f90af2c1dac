/**
 * All test projects. Vitest reads this file only when it is passed: `vitest run --config vitest.workspace.ts`.
 * What is made once per run for all files of a project, its global setup makes and ends: a PostgreSQL server for `api`, the data
 * folder of one for the installations of `e2e`.
 */
import { fileURLToPath } from "node:url"
import { defineConfig } from "vitest/config"

/**
 * Programs that are started by tests are there for their speed; what the small heap takes, `npm run bench:memory` tells. What runs
 * from its sources finds them compiled by whoever ran them before.
 */
const fast = { HEAP: "ample", NODE_COMPILE_CACHE: fileURLToPath(new URL("node_modules/.cache/compiled", import.meta.url)) }

const project = (name: string, options: { readonly globalSetup?: boolean; readonly timeout?: number } = {}) => ({
  extends: true as const,
  test: {
    name,
    include: [`packages/${name}/test/**/*.test.ts`],
    environment: "node" as const,
    env: fast,
    testTimeout: options.timeout ?? 60_000,
    hookTimeout: 60_000,
    ...(options.globalSetup === true ? { globalSetup: [`packages/${name}/test/support/globalSetup.ts`] } : {})
  }
})

export default defineConfig({
  test: {
    // Suites of whole processes wait more than they compute: more of them at a time than there are cores.
    maxWorkers: 3,
    // Files of one project that run in the same process share what they import, and the code that is warm by then: half the CPU.
    // A file that changes what others see (the environment, a global) puts it back when it ends.
    isolate: false,
    coverage: {
      provider: "v8",
      include: ["packages/{domain,platform,rpc,api,worker}/src/**/*.ts"],
      exclude: ["packages/rpc/src/grpc/gen/**"],
      reporter: ["text-summary", "json-summary"]
    },
    projects: [
      project("domain"),
      project("platform"),
      project("rpc"),
      project("api", { globalSetup: true }),
      project("worker"),
      project("e2e", { globalSetup: true, timeout: 120_000 }),
      {
        extends: true as const,
        test: { name: "chaos", include: ["chaos/test/**/*.test.ts"], environment: "node" as const, env: fast, testTimeout: 60_000 }
      },
      {
        extends: true as const,
        test: { name: "scripts", include: ["scripts/test/**/*.test.ts"], environment: "node" as const, env: fast, testTimeout: 60_000 }
      },
      { extends: true as const, test: { name: "bench", include: ["bench/test/**/*.test.ts"], environment: "node" as const } }
    ]
  }
})

import { execFileSync } from "node:child_process"
import { fileURLToPath } from "node:url"
import { assert, describe, it } from "vitest"
import { violations } from "../Dependencies.ts"

const check = (files: Readonly<Record<string, string>>) => violations(new Map(Object.entries(files)))

describe("The check of dependencies", () => {
  it("accepts what the architecture allows", () => {
    assert.deepStrictEqual(
      check({
        "packages/domain/src/Ids.ts": `import { Schema } from "effect"`,
        "packages/rpc/src/http/Api.ts": `import { TaskId } from "@englog/domain/Ids"`,
        "packages/api/src/db/Database.ts": `import { PgClient } from "@effect/sql-pg"`,
        "packages/api/src/queue/TaskRepo.ts": `import { Database } from "../db/Database.ts"`,
        "packages/api/src/cluster/Dispatcher.ts": `import { TaskRepo } from "../queue/TaskRepo.ts"`,
        "packages/api/src/insights/Insights.ts": `import { TaskRepo } from "../queue/TaskRepo.ts"\nimport { X } from "../tasks/X.ts"`,
        "packages/worker/src/main.ts": `import { runProcess } from "@englog/platform/runProcess"`,
        "packages/api/src/main.ts": `import { Insights } from "./insights/Insights.ts"`
      }),
      []
    )
  })

  it.each([
    ["domain importing rpc", "packages/domain/src/A.ts", `import { Api } from "@englog/rpc/http/Api"`],
    ["domain importing a library", "packages/domain/src/A.ts", `import * as fs from "node:fs"`],
    ["rpc importing api", "packages/rpc/src/A.ts", `export { main } from "@englog/api/main"`],
    ["api importing worker", "packages/api/src/A.ts", `import "@englog/worker/main"`],
    ["worker importing api by a path", "packages/worker/src/A.ts", `import type { X } from "../../api/src/X.ts"`],
    ["worker importing SQL", "packages/worker/src/A.ts", `import { SqlClient } from "effect/sql"`],
    ["queue importing cluster", "packages/api/src/queue/A.ts", `import { B } from "../cluster/B.ts"`],
    ["queue importing tasks", "packages/api/src/queue/A.ts", `import { B } from "../tasks/B.ts"`],
    ["queue importing a noun", "packages/api/src/queue/A.ts", `import { B } from "../insights/B.ts"`],
    ["cluster importing a noun", "packages/api/src/cluster/A.ts", `const b = import("../entries/B.ts")`],
    ["cluster importing tasks", "packages/api/src/cluster/A.ts", `import { B } from "../tasks/B.ts"`],
    ["tasks importing cluster", "packages/api/src/tasks/A.ts", `import {\n  B\n} from "../cluster/B.ts"`],
    ["queue importing the HTTP edge", "packages/api/src/queue/A.ts", `import { B } from "../http/B.ts"`],
    ["the HTTP edge importing a noun", "packages/api/src/http/A.ts", `import { B } from "../entries/B.ts"`],
    ["the RPC edge importing a noun", "packages/api/src/rpc/A.ts", `import { B } from "../entries/B.ts"`],
    ["platform importing domain", "packages/platform/src/A.ts", `import { B } from "@englog/domain/Ids"`],
    ["rpc importing platform", "packages/rpc/src/A.ts", `import { B } from "@englog/platform/Environment"`],
    ["the database layer importing the queue", "packages/api/src/db/A.ts", `import { B } from "../queue/B.ts"`]
  ])("refuses %s and names the file", (_, file, text) => {
    const found = check({ [file]: text })
    assert.lengthOf(found, 1)
    assert.include(found[0] ?? "", file)
  })

  it("refuses a circle of files", () => {
    const found = check({
      "packages/domain/src/A.ts": `import { b } from "./B.ts"`,
      "packages/domain/src/B.ts": `import { c } from "@englog/domain/C"`,
      "packages/domain/src/C.ts": `import type { a } from "./A.ts"`
    })
    assert.deepStrictEqual(found, [
      "files import each other in a circle: packages/domain/src/A.ts -> packages/domain/src/B.ts -> packages/domain/src/C.ts -> packages/domain/src/A.ts"
    ])
  })

  it("refuses two nouns that import each other through different files", () => {
    const found = check({
      "packages/api/src/entries/A.ts": `import { b } from "../projects/B.ts"`,
      "packages/api/src/projects/C.ts": `import { d } from "../entries/D.ts"`
    })
    assert.deepStrictEqual(found, ["folders of the API import each other in a circle: entries -> projects -> entries"])
  })

  it("does not mistake an example in a comment for an import", () => {
    assert.deepStrictEqual(check({ "packages/domain/src/A.ts": `/** import { x } from "@englog/api/X" */\n// import "@englog/api/Y"` }), [])
  })

  it("holds for this project", () => {
    const script = fileURLToPath(new URL("../checkDependencies.ts", import.meta.url))
    assert.match(execFileSync(process.execPath, [script], { encoding: "utf8" }), /go the right way/)
  })
})

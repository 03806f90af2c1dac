import { spawnSync } from "node:child_process"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { afterEach, assert, describe, it } from "vitest"

const root = path.resolve(import.meta.dirname, "../..")
const copies: Array<string> = []

/** Only what the check reads, so that a test may spoil it. */
const copyOfProject = (): string => {
  const copy = fs.mkdtempSync(path.join(os.tmpdir(), "englog-copy-"))
  copies.push(copy)
  for (const name of ["proto", "buf.yaml", "buf.gen.yaml", "scripts/generatedIsCurrent.ts", "packages/rpc/src/grpc/gen"]) {
    fs.cpSync(path.join(root, name), path.join(copy, name), { recursive: true })
  }
  fs.symlinkSync(path.join(root, "node_modules"), path.join(copy, "node_modules"))
  return copy
}

const check = (project: string) => spawnSync(process.execPath, ["scripts/generatedIsCurrent.ts"], { cwd: project, encoding: "utf8" })

describe("The check of generated code", () => {
  afterEach(() => {
    for (const copy of copies.splice(0)) fs.rmSync(copy, { recursive: true, force: true })
  })

  it("accepts this project", () => {
    assert.strictEqual(check(copyOfProject()).status, 0)
  })

  it("names a file that was edited, one that is missing and one that nothing generates any more", () => {
    const copy = copyOfProject()
    const generated = path.join(copy, "packages/rpc/src/grpc/gen/englog/v1")
    fs.appendFileSync(path.join(generated, "worker_pb.js"), "// edited\n")
    fs.rmSync(path.join(generated, "worker_pb.d.ts"))
    fs.writeFileSync(path.join(generated, "old_pb.js"), "")
    const { status, stderr } = check(copy)
    assert.strictEqual(status, 1)
    for (const name of ["worker_pb.js", "worker_pb.d.ts", "old_pb.js"]) assert.include(stderr, `englog/v1/${name} is not what`)
  })
})

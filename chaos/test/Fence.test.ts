/** Whoever rewrites the fence learns here that the mutation check has to follow, not from a run of three minutes. */
import { assert, describe, it } from "@effect/vitest"
import { readFileSync } from "node:fs"
import * as path from "node:path"
import { fence } from "../Fence.ts"

describe("the mutation check", () => {
  for (const { file, text } of fence) {
    it(`finds the fence it cuts out of ${file}, once`, () => {
      const source = readFileSync(path.resolve(import.meta.dirname, "../..", file), "utf8")
      assert.lengthOf(source.split(text), 2)
    })
  }
})

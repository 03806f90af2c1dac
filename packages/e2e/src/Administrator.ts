/** `npm run admin -- grant`, as whoever runs the server would do it. */
import { Effect } from "effect"
import { fileURLToPath } from "node:url"
import { runProgram } from "./RunningProgram.ts"

const file = fileURLToPath(new URL("../../api/src/admin.ts", import.meta.url))

/** Makes an account of the running installation an administrator. */
export const grantAdmin = Effect.fnUntraced(function*(dataDir: string, email: string) {
  const program = yield* runProgram({ name: "admin", main: { file, args: ["grant", email] }, env: { DATA_DIR: dataDir } })
  const code = yield* program.exit
  if (code !== 0) return yield* Effect.die(new Error(`admin grant ended with ${code}: ${program.lines.join("\n")}`))
})

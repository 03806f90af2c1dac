/** Who submits and follows: people with accounts, each with a token and an RPC client at every API server. */
import { register } from "@englog/e2e/Person"
import { password } from "@englog/e2e/Person"
import { AccessToken } from "@englog/rpc/client/AccessToken"
import { EngLogClient } from "@englog/rpc/client/EngLogClient"
import { Context, Effect, Layer, Redacted } from "effect"

export interface Door {
  readonly url: string
  readonly token: AccessToken["Service"]["current"]
  readonly rpc: EngLogClient["Service"]
}

export interface Account {
  readonly user_id: string
  readonly entry_id: string
  /** One for each API server. */
  readonly doors: readonly [Door, ...Array<Door>]
}

export const open = Effect.fnUntraced(function*(email: string, urls: ReadonlyArray<string>) {
  const [first, ...others] = urls
  if (first === undefined) return yield* Effect.die(new Error("there is no API server"))
  const person = yield* register(first, email)
  const entry_id = yield* person.addEntry({})
  const auth = { email, password: Redacted.make(password) }
  const door = Effect.fnUntraced(function*(url: string) {
    const context = yield* Layer.build(Layer.merge(AccessToken.layer(url, auth), EngLogClient.layer({ url, auth, transport: "websocket" })))
    const door: Door = { url, token: Context.get(context, AccessToken).current, rpc: Context.get(context, EngLogClient) }
    return door
  })
  const account: Account = { user_id: person.user_id, entry_id, doors: [yield* door(first), ...yield* Effect.forEach(others, door)] }
  return account
})

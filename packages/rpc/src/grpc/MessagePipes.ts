/**
 * The two directions of a gRPC stream as Effects over Node's streams: pulls take all that has arrived at once, and writes wait
 * where the other side does not read. Nothing here costs a fiber, or more than one step per message.
 */
import { Cause, Effect } from "effect"

/** What both sides of grpc-js have of a readable stream of objects. */
interface Readable<A> {
  readonly readableLength: number
  readonly read: () => A | null
  readonly on: (event: "readable" | "end" | "error", listener: (error: Error) => void) => unknown
}

interface Writable<A> {
  readonly write: (message: A) => boolean
  readonly once: (event: "drain", listener: () => void) => unknown
  readonly removeListener: (event: "drain", listener: () => void) => unknown
}

/** Pulls what has arrived. Messages that came before a failure are handed over before the failure is. */
export const pullFrom = <A, E>(readable: Readable<A>, errorOf: (error: Error) => E) => {
  let failure: { readonly error: E } | undefined
  let ended = false
  let wake: () => void = () => {}
  readable.on("readable", () => wake())
  readable.on("end", () => {
    ended = true
    wake()
  })
  readable.on("error", (error) => {
    failure = { error: errorOf(error) }
    wake()
  })
  const signal = Effect.callback<void>((resume) => {
    wake = () => resume(Effect.void)
    if (readable.readableLength > 0 || ended || failure !== undefined) wake()
    return Effect.sync(() => {
      wake = () => {}
    })
  })
  const next: Effect.Effect<readonly [A, ...Array<A>], E | Cause.Done> = Effect.suspend(() => {
    const [first, ...rest] = readAll(readable)
    if (first !== undefined) return Effect.succeed([first, ...rest] as const)
    if (failure !== undefined) return Effect.fail(failure.error)
    return ended ? Cause.done() : Effect.andThen(signal, next)
  })
  return next
}

const readAll = <A>(readable: Readable<A>): Array<A> => {
  const messages: Array<A> = []
  for (;;) {
    const message = readable.read()
    if (message === null) return messages
    messages.push(message)
  }
}

/** Back-pressure: the next message waits until this one's buffer has drained to the other side. */
export const write = <A>(writable: Writable<A>, message: A): Effect.Effect<void> =>
  Effect.suspend(() => writable.write(message) ? Effect.void : drained(writable))

const drained = <A>(writable: Writable<A>) =>
  Effect.callback<void>((resume) => {
    const resumed = () => resume(Effect.void)
    writable.once("drain", resumed)
    return Effect.sync(() => writable.removeListener("drain", resumed))
  })

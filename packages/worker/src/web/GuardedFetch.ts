/**
 * Asking URLs that a user named, from inside our network. A host's name is resolved once for each connection; all its addresses are
 * judged, and the connection goes to an address that was judged, so that a name whose answer changes gains nothing. Redirects are
 * judged like the first URL. Head, body and time are limited; what comes compressed is limited by what it unpacks to.
 */
import { hostOf, isPublicAddress, problemOfUrl } from "@englog/platform/web/PublicUrl"
import { Context, Duration, Effect, Layer, type Scope, Stream } from "effect"
import type { LookupAddress } from "node:dns"
import { lookup as resolveByName } from "node:dns/promises"
import type { LookupFunction } from "node:net"
import { Agent, type Dispatcher, request as ask } from "undici"
import { AppConfig } from "../AppConfig.ts"
import { unpack } from "./Unpacking.ts"
import { failureOf, RefusedAddress, WebFailure } from "./WebFailure.ts"

export interface GuardedRequest {
  readonly method: "GET" | "POST"
  readonly url: string
  /** By their names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
  /** Followed at most; the response that would be one too many is answered as it is. Default 0. */
  readonly redirects?: number
  /** Of the body, packed and unpacked. */
  readonly maxBytes: number
  /** What becomes of a longer body: a failure, or its beginning. */
  readonly excess: "fail" | "cut"
  /** From the question to the last byte, redirects included. */
  readonly timeout: Duration.Duration
}

export interface GuardedResponse {
  readonly status: number
  /** By their names in lower case; several of one name joined by commas. */
  readonly headers: Readonly<Record<string, string>>
  /** Unpacked. */
  readonly body: Uint8Array
  /** There was more of it. */
  readonly cut: boolean
  /** Where it came from, after redirects. */
  readonly url: string
}

export interface GuardOptions {
  /** Plain HTTP and any address: for closed networks and tests. */
  readonly allowPrivate: boolean
  /** Default: the system's. */
  readonly resolve?: (host: string) => Promise<ReadonlyArray<LookupAddress>>
  /** Default: the public internet's. */
  readonly isAllowed?: (address: string) => boolean
  /** Certificates to trust besides none of the others, in PEM; default: the system's. */
  readonly ca?: string
}

export class GuardedFetch extends Context.Service<GuardedFetch, {
  readonly fetch: (request: GuardedRequest) => Effect.Effect<GuardedResponse, WebFailure>
}>()("@englog/worker/web/GuardedFetch") {
  static readonly make = (options: GuardOptions): Effect.Effect<GuardedFetch["Service"], never, Scope.Scope> =>
    Effect.map(
      Effect.acquireRelease(Effect.sync(() => agentOf(options)), (agent) => Effect.promise(() => agent.destroy())),
      (agent) => GuardedFetch.of({ fetch: Effect.fn("GuardedFetch.fetch")((request) => within(request, follow(agent, options, request))) })
    )

  static readonly layer = Layer.effect(GuardedFetch, Effect.flatMap(AppConfig, ({ webAllowPrivate }) => GuardedFetch.make({ allowPrivate: webAllowPrivate })))
}

/** Of a response's head. */
const MAX_HEAD_BYTES = 16_384
const CONNECT_TIMEOUT = 10_000

const agentOf = (options: GuardOptions): Agent =>
  new Agent({
    allowH2: false,
    maxHeaderSize: MAX_HEAD_BYTES,
    connect: { lookup: judging(options), timeout: CONNECT_TIMEOUT, ...(options.ca === undefined ? {} : { ca: options.ca }) }
  })

/** Asked by Node for each connection to a name; an address in the URL itself is judged with the URL. */
const judging = ({ allowPrivate, isAllowed = isPublicAddress, resolve = systemResolve }: GuardOptions): LookupFunction =>
(host, { all }, answer) => {
  resolve(host).then((addresses) => {
    const [first] = addresses
    const refused = allowPrivate ? undefined : addresses.find(({ address }) => !isAllowed(address))
    if (refused !== undefined) answer(new RefusedAddress(host), "", 0)
    else if (first === undefined) answer(Object.assign(new Error(`${host} has no address`), { code: "ENOTFOUND" }), "", 0)
    else if (all === true) answer(null, [...addresses])
    else answer(null, first.address, first.family)
  }, (error: NodeJS.ErrnoException) => answer(error, "", 0))
}

const systemResolve = (host: string): Promise<ReadonlyArray<LookupAddress>> => resolveByName(host, { all: true })

const within = (request: GuardedRequest, response: Effect.Effect<GuardedResponse, WebFailure>) =>
  Effect.timeoutOrElse(response, {
    duration: request.timeout,
    orElse: () => new WebFailure({ reason: "timeout", message: `no whole answer within ${Duration.toSeconds(request.timeout)} s` })
  })

const follow = Effect.fnUntraced(function*(agent: Agent, options: GuardOptions, request: GuardedRequest): Effect.fn.Return<GuardedResponse, WebFailure> {
  let { url } = request
  let left = request.redirects ?? 0
  while (true) {
    const problem = problemOfUrl(url, options)
    if (problem !== undefined) return yield* new WebFailure({ reason: "url", message: `${url === request.url ? "the URL" : "a redirect's URL"} ${problem}` })
    const response = yield* Effect.scoped(once(agent, request, url))
    const to = REDIRECTS.has(response.status) && left > 0 ? URL.parse(response.headers["location"] ?? "", url) : null
    if (to === null) return response
    left -= 1
    url = to.href
  }
})

const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308])

const once = Effect.fnUntraced(function*(agent: Agent, request: GuardedRequest, url: string) {
  const host = hostOf(new URL(url))
  const response = yield* Effect.acquireRelease(
    Effect.tryPromise({ try: (signal) => ask(url, optionsOf(agent, request, signal)), catch: (cause) => failureOf(cause, host) }),
    ({ body }) => Effect.sync(() => void body.on("error", () => {}).destroy()),
    { interruptible: true }
  )
  const headers = plain(response.headers)
  const packed = yield* readUpTo(response, request.maxBytes, host)
  if (packed.cut && request.excess === "fail") return yield* tooLarge(request.maxBytes)
  const encoding = headers["content-encoding"]
  const body = encoding === undefined || packed.cut ? packed : yield* unpack(packed.bytes, encoding, request.maxBytes)
  if (body.cut && request.excess === "fail") return yield* tooLarge(request.maxBytes)
  return { status: response.statusCode, headers, body: body.bytes, cut: body.cut, url }
})

const tooLarge = (maxBytes: number) => new WebFailure({ reason: "too_large", message: `the answer has more than ${maxBytes} bytes` })

const optionsOf = (dispatcher: Agent, { body, headers, method }: GuardedRequest, signal: AbortSignal) => ({
  dispatcher,
  method,
  signal,
  headers: { "accept-encoding": "identity", ...headers },
  // The deadline of the whole is the only one.
  headersTimeout: 0,
  bodyTimeout: 0,
  ...(body === undefined ? {} : { body })
})

const readUpTo = Effect.fnUntraced(function*({ body }: Dispatcher.ResponseData, maxBytes: number, host: string) {
  const chunks: Array<Uint8Array> = []
  let size = 0
  yield* Stream.runForEachWhile(
    Stream.fromAsyncIterable<Uint8Array, WebFailure>(body, (cause) => failureOf(cause, host)),
    (chunk) => Effect.sync(() => {
      size += chunk.length
      chunks.push(chunk)
      return size <= maxBytes
    })
  )
  return { bytes: new Uint8Array(Buffer.concat(chunks).subarray(0, maxBytes)), cut: size > maxBytes }
})

const plain = (headers: Dispatcher.ResponseData["headers"]): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(headers).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, typeof value === "string" ? value : value.join(", ")]]))

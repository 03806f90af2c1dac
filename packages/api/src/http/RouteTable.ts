/**
 * Which methods each path has: for 405 with `Allow`, and for span names with the route instead of the ids in it. And which
 * paths are told apart from the others.
 */
import { EngLogApi } from "@englog/rpc/http/Api"
import { BodyLimit, formEnvelope, usualBodyLimit } from "@englog/rpc/http/BodyLimit"
import { feedRoute } from "@englog/rpc/http/FeedsApi"
import { Context } from "effect"
import { FindMyWay } from "effect/http"
import { HttpApi } from "effect/http-api"

export interface Route {
  readonly method: string
  readonly path: `/${string}`
}

/** The last segment is a secret. */
export const unsubscribeRoute = "/v1/mail/unsubscribe/:token"

export const rpcPath = "/rpc"
export const webSocketPath = "/rpc-ws"

/** Routes beside the REST API, which its document does not have. */
export const otherRoutes: ReadonlyArray<Route> = [
  { method: "GET", path: "/openapi.json" },
  { method: "GET", path: "/docs" },
  { method: "GET", path: "/metrics" },
  { method: "GET", path: unsubscribeRoute },
  { method: "POST", path: unsubscribeRoute },
  { method: "POST", path: rpcPath },
  { method: "GET", path: webSocketPath }
]

const isPath = (path: string): path is `/${string}` => path.startsWith("/")

interface Asked {
  readonly method: string
  readonly url: string
}

interface LargeBody {
  /** Bytes. */
  readonly limit: number
  /** It is stored while it arrives; others lie in memory as a whole. */
  readonly streamed: boolean
}

/** Of the endpoints that read larger bodies than the others, by method and path. */
const largeBodies = new Map<string, LargeBody>()

/** What the request's body may be where that is larger, and therefore slower, than usual. */
export const largeBodyOf = ({ method, url }: Asked): LargeBody | undefined =>
  largeBodies.get(`${method} ${routeOf(url)?.path ?? ""}`)

/** How many bytes of a body are read. Of a form, the limit is that of the file in it. */
export const bodyLimitOf = (request: Asked & { readonly headers: Readonly<Record<string, string | undefined>> }): number => {
  const limit = largeBodyOf(request)?.limit ?? usualBodyLimit
  return limit > usualBodyLimit && isForm(request.headers["content-type"]) ? limit + formEnvelope : limit
}

export const isForm = (contentType = ""): boolean => /^\s*multipart\/form-data\s*(;|$)/i.test(contentType)

const routesOfApi = (): ReadonlyArray<Route> => {
  const routes: Array<Route> = []
  HttpApi.reflect(EngLogApi, {
    onGroup: () => {},
    onEndpoint: ({ endpoint }) => {
      if (isPath(endpoint.path)) routes.push({ method: endpoint.method, path: endpoint.path })
      const limit = Context.get(endpoint.annotations, BodyLimit)
      const streamed = [...endpoint.payload.values()].some(({ encoding }) => encoding._tag === "Stream")
      if (limit > usualBodyLimit) largeBodies.set(`${endpoint.method} ${endpoint.path}`, { limit, streamed })
    }
  })
  return routes
}

const methodsByPath = new Map<`/${string}`, Array<string>>()
for (const { method, path } of [...routesOfApi(), ...otherRoutes]) {
  methodsByPath.set(path, [...methodsByPath.get(path) ?? [], method])
}

const router = FindMyWay.make<{ readonly path: string; readonly methods: ReadonlyArray<string> }>({ maxParamLength: 500 })
for (const [path, methods] of methodsByPath) {
  router.all(path, { path, methods: methods.includes("GET") ? [...methods, "HEAD"] : methods })
}

/** The route of a URL and the methods it has; undefined where there is none. */
export const routeOf = (url: string): { readonly path: string; readonly methods: ReadonlyArray<string> } | undefined =>
  router.find("GET", url)?.handler

/** The path as it may be written down: whatever is the address of a feed or unsubscribes, or begins like one, may hold its secret. */
export const tellablePath = (url: string): string => {
  const route = routeOf(url)?.path
  if (/^\/+v1\/+feeds\//i.test(url) || route === feedRoute) return feedRoute
  return /^\/+v1\/+mail\/+unsubscribe\//i.test(url) || route === unsubscribeRoute ? unsubscribeRoute : pathOf(url)
}

export const pathOf = (url: string): string => url.split("?", 1)[0] ?? ""

const probes = new Set(["/live", "/ready", "/health", "/metrics"])

/** Asked by machines, often: neither traced nor limited. */
export const isProbe = (url: string): boolean => probes.has(pathOf(url))

/** Everything there concerns accounts and their tokens. */
export const isAuthentication = (url: string): boolean => url.startsWith("/v1/auth/")

const rpcs = new Set([rpcPath, webSocketPath])
export const isRpc = (url: string): boolean => rpcs.has(pathOf(url))

/**
 * Which methods each path has: for 405 with `Allow`, and for span names with the route instead of the ids in it. And which
 * paths are told apart from the others.
 */
import { EngLogApi } from "@englog/rpc/http/Api"
import { FindMyWay } from "effect/http"
import { HttpApi } from "effect/http-api"

export interface Route {
  readonly method: string
  readonly path: `/${string}`
}

export const rpcPath = "/rpc"
export const webSocketPath = "/rpc-ws"

/** Routes beside the REST API. */
const others: ReadonlyArray<Route> = [
  { method: "GET", path: "/openapi.json" },
  { method: "GET", path: "/docs" },
  { method: "GET", path: "/metrics" },
  { method: "POST", path: rpcPath },
  { method: "GET", path: webSocketPath }
]

const isPath = (path: string): path is `/${string}` => path.startsWith("/")

const routesOfApi = (): ReadonlyArray<Route> => {
  const routes: Array<Route> = []
  HttpApi.reflect(EngLogApi, {
    onGroup: () => {},
    onEndpoint: ({ endpoint }) => {
      if (isPath(endpoint.path)) routes.push({ method: endpoint.method, path: endpoint.path })
    }
  })
  return routes
}

const methodsByPath = new Map<`/${string}`, Array<string>>()
for (const { method, path } of [...routesOfApi(), ...others]) {
  methodsByPath.set(path, [...methodsByPath.get(path) ?? [], method])
}

const router = FindMyWay.make<{ readonly path: string; readonly methods: ReadonlyArray<string> }>({ maxParamLength: 500 })
for (const [path, methods] of methodsByPath) {
  router.all(path, { path, methods: methods.includes("GET") ? [...methods, "HEAD"] : methods })
}

/** The route of a URL and the methods it has; undefined where there is none. */
export const routeOf = (url: string): { readonly path: string; readonly methods: ReadonlyArray<string> } | undefined =>
  router.find("GET", url)?.handler

export const pathOf = (url: string): string => url.split("?", 1)[0] ?? ""

const probes = new Set(["/live", "/ready", "/health", "/metrics"])

/** Asked by machines, often: neither traced nor limited. */
export const isProbe = (url: string): boolean => probes.has(pathOf(url))

/** Everything there concerns accounts and their tokens. */
export const isAuthentication = (url: string): boolean => url.startsWith("/v1/auth/")

const rpcs = new Set([rpcPath, webSocketPath])
export const isRpc = (url: string): boolean => rpcs.has(pathOf(url))

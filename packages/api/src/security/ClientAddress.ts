/**
 * Where a request comes from, as far as limits are concerned: an IPv4 address, or the /64 an IPv6 address lies in, since
 * one customer owns all of that.
 */
import { Option } from "effect"
import type { HttpServerRequest } from "effect/http"
import { isIPv6 } from "node:net"

export const clientAddress = (request: HttpServerRequest.HttpServerRequest): string =>
  addressBlock(Option.getOrElse(request.remoteAddress, () => "unknown"))

export const addressBlock = (address: string): string => {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1]
  if (mapped !== undefined) return mapped
  if (!isIPv6(address)) return address
  const [head = "", tail] = (address.split("%")[0] ?? "").split("::")
  const groups = (part: string | undefined) => part === undefined || part === "" ? [] : part.split(":")
  const left = groups(head)
  const missing = tail === undefined ? 0 : 8 - left.length - groups(tail).length
  return [...left, ...Array<string>(missing).fill("0"), ...groups(tail)].slice(0, 4).map((group) => Number.parseInt(group, 16).toString(16)).join(":")
}

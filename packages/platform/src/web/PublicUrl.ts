/**
 * Which URLs of other people may be asked from inside our network: those of the public internet, over HTTPS. Whatever stands for
 * this machine, its network or a cloud's metadata is refused, in every notation that a browser would understand.
 */
import ipaddr from "ipaddr.js"

export const MAX_URL = 2_048

/**
 * Whether an address belongs to the public internet. An IPv4 address inside an IPv6 one counts as what it is; ways to reach IPv4
 * by translation or tunnel (64:ff9b::/96, 6to4, Teredo) are refused, because they lead anywhere.
 */
export const isPublicAddress = (address: string): boolean => ipaddr.isValid(address) && ipaddr.process(address).range() === "unicast"

export interface UrlRules {
  /** Plain HTTP and private addresses are fine: a closed network, or a test. */
  readonly allowPrivate: boolean
}

/** What is wrong with a URL, as far as it can be told without asking for its host's address; undefined where nothing is. */
export const problemOfUrl = (text: string, { allowPrivate }: UrlRules): string | undefined => {
  if (text.length > MAX_URL) return `must be at most ${MAX_URL} characters long`
  const url = URL.parse(text)
  if (url === null) return "must be an absolute URL, such as https://example.com/hook"
  if (url.protocol !== "https:" && !(allowPrivate && url.protocol === "http:")) return "must begin with https://"
  if (url.username !== "" || url.password !== "") return "must not hold a user name or password"
  if (allowPrivate) return undefined
  const host = hostOf(url)
  const isAddress = ipaddr.isValid(host)
  return (isAddress && !isPublicAddress(host)) || (!isAddress && isLocalName(host))
    ? "must not name this machine, or a private or reserved address"
    : undefined
}

/** Without the brackets of an IPv6 address and the dot at the end of a full name. */
export const hostOf = (url: URL): string => url.hostname.replace(/^\[(.*)\]$/, "$1").replace(/\.$/, "")

/** RFC 6761 and RFC 6762, and the name that private networks use (`.internal`, reserved by ICANN in 2024). */
const isLocalName = (host: string): boolean => /(^|\.)(localhost|local|internal)$/.test(host)

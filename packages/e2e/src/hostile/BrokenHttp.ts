/** Bytes that are no HTTP/1.1, or not what anybody should answer with success. */

const get = (more = "", line = "GET /live HTTP/1.1") => `${line}\r\nhost: x\r\nconnection: close\r\n${more}\r\n`
const post = (more: string, body = "{}") =>
  `POST /v1/auth/login HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/json\r\n${more}\r\n${body}`

/** What is wrong, and the bytes. */
export const brokenHttp: ReadonlyArray<readonly [name: string, bytes: string]> = [
  ["no request line", "\r\n\r\nhello\r\n\r\n"],
  ["a request line of one word", "GET\r\n\r\n"],
  ["a request line without a version", "GET /live\r\n\r\n"],
  ["an unknown version", get("", "GET /live HTTP/3.7")],
  ["an unknown method", get("", "FROB /live HTTP/1.1")],
  ["a method in lower case", get("", "get /live HTTP/1.1")],
  ["a TRACE", get("", "TRACE /live HTTP/1.1")],
  ["a CONNECT", get("", "CONNECT example.com:443 HTTP/1.1")],
  ["an address with a space", get("", "GET /li ve HTTP/1.1")],
  ["an address with bytes beyond ASCII", get("", "GET /lïve HTTP/1.1")],
  ["an address of another server", get("", "GET http://example.com/nowhere HTTP/1.1")],
  ["an asterisk", get("", "GET * HTTP/1.1")],
  ["no host", "GET /live HTTP/1.1\r\nconnection: close\r\n\r\n"],
  ["two hosts", get("host: y\r\n")],
  ["a header without a colon", get("nonsense\r\n")],
  ["a header without a name", get(": x\r\n")],
  ["a header with NUL", get("x-a: a\u0000b\r\n")],
  ["a folded header", get("x-a: a\r\n  b\r\n")],
  ["headers too large", get(`x-a: ${"a".repeat(100_000)}\r\n`)],
  ["too many headers", get("x-a: a\r\n".repeat(20_000))],
  ["an address too long", get("", `GET /live?${"a".repeat(100_000)} HTTP/1.1`)],
  ["a length that is no number", post("content-length: many\r\n")],
  ["a negative length", post("content-length: -1\r\n")],
  ["two lengths", post("content-length: 2\r\ncontent-length: 3\r\n")],
  ["a length and chunks", post("content-length: 2\r\ntransfer-encoding: chunked\r\n", "2\r\n{}\r\n0\r\n\r\n")],
  ["chunks of no size", post("transfer-encoding: chunked\r\n", "zz\r\n{}\r\n0\r\n\r\n")],
  ["chunks of a size beyond numbers", post("transfer-encoding: chunked\r\n", "fffffffffffffffff\r\n{}")],
  ["chunk extensions without end", post("transfer-encoding: chunked\r\n", `2;${"a".repeat(100_000)}\r\n{}\r\n0\r\n\r\n`)],
  ["an unknown transfer encoding", post("transfer-encoding: gzip\r\n")],
  ["an expectation nobody meets", post("content-length: 2\r\nexpect: the-unexpected\r\n")],
  ["a WebSocket where there is none", post("content-length: 2\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n")],
  ["another protocol", post("content-length: 2\r\nconnection: upgrade\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABkAAQAAP__\r\n")],
  ["another protocol, in chunks", post("transfer-encoding: chunked\r\nconnection: upgrade\r\nupgrade: h2c\r\n", "2\r\n{}\r\n0\r\n\r\n")],
  ["a WebSocket without a key", get("connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n", "GET /rpc-ws HTTP/1.1")],
  ["a WebSocket with half a key", get("connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: AAAA\r\n", "GET /rpc-ws HTTP/1.1")],
  ["a WebSocket of another version", get("connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 99\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n", "GET /rpc-ws HTTP/1.1")],
  ["no WebSocket where there is one", get("", "GET /rpc-ws HTTP/1.1")],
  ["the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"],
  ["a TLS greeting", "\u0016\u0003\u0001\u0002\u0000\u0001\u0000\u0001\u00fc\u0003\u0003\r\n\r\n"],
  ["zeros", "\u0000".repeat(1_000)]
]

/** Cut off after some of its bytes. */
export const halfSent = post("content-length: 200\r\n", "{\"email\":\"ada@example.com\",\"pass")

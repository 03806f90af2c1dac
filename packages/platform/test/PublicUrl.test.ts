import { isPublicAddress, problemOfUrl } from "@englog/platform/web/PublicUrl"
import { assert, describe, it } from "@effect/vitest"

const strict = { allowPrivate: false }

describe("an address of the public internet", () => {
  it("is none of a machine, a network, a tunnel or a documentation", () => {
    for (const address of [
      "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "255.255.255.255", "224.0.0.1",
      "192.0.2.1", "198.18.0.1", "::", "::1", "::127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "fe80::1", "fe80::1%eth0", "fd00:ec2::254",
      "64:ff9b::7f00:1", "2002:7f00:1::", "2001::1", "2001:db8::1", "ff02::1", "not an address", ""
    ]) assert.isFalse(isPublicAddress(address), address)
    for (const address of ["8.8.8.8", "93.184.216.34", "2606:4700::1111", "::ffff:8.8.8.8"]) assert.isTrue(isPublicAddress(address), address)
  })
})

describe("a URL that a user names", () => {
  it("may lead to the public internet over HTTPS", () => {
    for (const url of ["https://example.com/hook?x=1", "https://example.com:8443/", "https://8.8.8.8/", "https://[2606:4700::1111]/", "https://bücher.example/"]) {
      assert.isUndefined(problemOfUrl(url, strict), url)
    }
  })

  it("names no private address, however it is written", () => {
    const hosts = [
      "127.0.0.1", "2130706433", "0x7f000001", "0x7f.1", "0177.0.0.1", "127.1", "0", "[::1]", "[::ffff:10.0.0.1]", "[::ffff:a00:1]", "[fe80::1]",
      "169.254.169.254", "[fd00:ec2::254]", "localhost", "localhost.", "LOCALHOST", "api.localhost", "printer.local", "metadata.google.internal", "１２７.0.0.1"
    ]
    for (const host of hosts) assert.strictEqual(problemOfUrl(`https://${host}/`, strict), "must not name this machine, or a private or reserved address", host)
  })

  it("is refused for its scheme, its credentials, its length or its shape", () => {
    assert.strictEqual(problemOfUrl("http://example.com/", strict), "must begin with https://")
    assert.strictEqual(problemOfUrl("ftp://example.com/", { allowPrivate: true }), "must begin with https://")
    assert.strictEqual(problemOfUrl("file:///etc/passwd", { allowPrivate: true }), "must begin with https://")
    for (const url of ["https://user@example.com/", "https://:secret@example.com/"]) {
      assert.strictEqual(problemOfUrl(url, { allowPrivate: true }), "must not hold a user name or password")
    }
    assert.strictEqual(problemOfUrl(`https://example.com/${"a".repeat(2_048)}`, strict), "must be at most 2048 characters long")
    for (const url of ["", "/hook", "example.com", "https://", "https://256.256.256.256/"]) {
      assert.strictEqual(problemOfUrl(url, strict), "must be an absolute URL, such as https://example.com/hook", url)
    }
  })

  it("may be plain and private where that is allowed", () => {
    assert.isUndefined(problemOfUrl("http://127.0.0.1:8080/hook", { allowPrivate: true }))
  })
})

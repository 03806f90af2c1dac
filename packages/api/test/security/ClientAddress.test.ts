import { assert, describe, it } from "@effect/vitest"
import { addressBlock } from "../../src/security/ClientAddress.ts"

describe("a client's address, for limits", () => {
  it("is an IPv4 address as it is, mapped into IPv6 or not", () => {
    assert.strictEqual(addressBlock("192.0.2.7"), "192.0.2.7")
    assert.strictEqual(addressBlock("::ffff:192.0.2.7"), "192.0.2.7")
  })

  it("is the /64 of an IPv6 address, however it is written", () => {
    assert.strictEqual(addressBlock("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2")
    assert.strictEqual(addressBlock("2001:0db8:0001:0002::ffff"), "2001:db8:1:2")
    assert.strictEqual(addressBlock("2001:db8::1"), "2001:db8:0:0")
    assert.strictEqual(addressBlock("fe80::1%eth0"), "fe80:0:0:0")
    assert.strictEqual(addressBlock("::1"), "0:0:0:0")
  })
})

import { isAddressProblem } from "@englog/domain/mail/EnhancedStatus"
import { parseDeliveryReport } from "@englog/domain/mail/DeliveryReport"
import { assert, describe, it } from "@effect/vitest"
import { Option } from "effect"

const id = "5f3a7c58-8a43-4e0e-9a37-5a3f8d6f1c20"

/** RFC 3464, appendix E: a simple DSN, with a message of ours. */
const simple = `Date: Thu, 7 Jul 1994 17:16:05 -0400
From: Mail Delivery Subsystem <MAILER-DAEMON@CS.UTK.EDU>
Message-Id: <199407072116.RAA14128@CS.UTK.EDU>
Subject: Returned mail: Cannot send message for 5 days
To: <owner-info-mime@cs.utk.edu>
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status;
      boundary="RAA14128.773615765/CS.UTK.EDU"

--RAA14128.773615765/CS.UTK.EDU

The original message was received at Sat, 2 Jul 1994 17:10:28 -0400
from root@localhost

   ----- The following addresses had delivery problems -----
<louisl@larry.slip.umd.edu>  (unrecoverable error)

--RAA14128.773615765/CS.UTK.EDU
content-type: message/delivery-status

Reporting-MTA: dns; cs.utk.edu

Original-Recipient: rfc822;louisl@larry.slip.umd.edu
Final-Recipient: rfc822;louisl@larry.slip.umd.edu
Action: failed
Status: 4.0.0
Diagnostic-Code: smtp; 426 connection timed out
Last-Attempt-Date: Thu, 7 Jul 1994 17:15:49 -0400

--RAA14128.773615765/CS.UTK.EDU
content-type: message/rfc822

From: EngLog <englog@example.com>
Message-ID: <${id}@example.com>
Subject: Your week

Hello Louis
--RAA14128.773615765/CS.UTK.EDU--
`

/** As Postfix writes it, with the head of the message only. */
const postfix = `Return-Path: <>
From: MAILER-DAEMON@mx.example.net (Mail Delivery System)
Subject: Undelivered Mail Returned to Sender
To: englog@example.com
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary=4XyZ.1/mx

This is a MIME-encapsulated message.

--4XyZ.1/mx
Content-Description: Notification
Content-Type: text/plain; charset=us-ascii

I'm sorry to have to inform you that your message could not be delivered.

--4XyZ.1/mx
Content-Description: Delivery report
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.net
X-Postfix-Queue-ID: 4XyZ
Arrival-Date: Mon, 12 Jan 2026 09:00:01 +0000 (UTC)

Final-Recipient: rfc822; nobody@example.org
Original-Recipient: rfc822;Nobody@Example.org
Action: failed
Status: 5.1.1
Remote-MTA: dns; mail.example.org
Diagnostic-Code: smtp; 550 5.1.1 <nobody@example.org>: Recipient address
    rejected: User unknown

--4XyZ.1/mx
Content-Description: Undelivered Message Headers
Content-Type: text/rfc822-headers

Received: from worker
Message-ID:
  <${id}@example.com>
Subject: Your week

--4XyZ.1/mx--
`

const read = (raw: string) => Option.getOrUndefined(parseDeliveryReport(raw))

describe("a delivery status notification", () => {
  it("tells of which message it is, and what became of it, as in the example of RFC 3464", () => {
    assert.deepStrictEqual(read(simple), {
      about: [id],
      recipients: [{ address: "louisl@larry.slip.umd.edu", action: "failed", status: "4.0.0", smtp_code: 426, diagnostic: "426 connection timed out" }]
    })
  })

  it("is read with folded fields, with the head of the message alone, and with any line ends", () => {
    const expected = {
      about: [id],
      recipients: [{
        address: "Nobody@Example.org", action: "failed", status: "5.1.1", smtp_code: 550,
        diagnostic: "550 5.1.1 <nobody@example.org>: Recipient address rejected: User unknown"
      }]
    } as const
    for (const raw of [postfix, postfix.replaceAll("\n", "\r\n"), postfix.replaceAll("\n", "\r")]) assert.deepStrictEqual(read(raw), expected)
  })

  it("is read of several recipients, and where an envelope id names the message (RFC 3464, appendix E)", () => {
    const status = `Reporting-MTA: dns; ims.example\nOriginal-Envelope-Id: ${id}\n\nFinal-Recipient: rfc822;amelia@x.example\nAction: delivered (to mailbox)\nStatus: 2.0.0\n\n`
      + "Final-Recipient: rfc822;boss@x.example\nAction: delayed\nStatus: 4.4.1 (no answer)\n\nFinal-Recipient: rfc822; gone@x.example\nAction: vanished\nStatus: 5.0.0\n"
    const found = read(`Content-Type: multipart/report; boundary=b\n\n--b\n\nwords\n--b\nContent-Type: message/delivery-status\n\n${status}\n--b--\n`)
    assert.deepStrictEqual(found?.about, [id])
    assert.deepStrictEqual(found?.recipients.map(({ action, address, status }) => [address, action, status]), [
      ["amelia@x.example", "delivered", "2.0.0"], ["boss@x.example", "delayed", "4.4.1"]
    ])
  })

  it("tells of which message it is by the address that it went to, where it names nothing else", () => {
    const bare = postfix.slice(0, postfix.indexOf("--4XyZ.1/mx\nContent-Description: Undelivered"))
    assert.deepStrictEqual(read(bare)?.about, [])
    const to = (address: string) => read(bare.replace("To: englog@example.com", `To: ${address}`))?.about
    for (const address of [`bounces+${id}@example.com`, `<${id}@bounces.example.com>`, `EngLog <bounces-${id.toUpperCase()}=x@example.com>`]) assert.deepStrictEqual(to(address), [id])
    for (const head of ["X-Original-To", "Delivered-To", "Envelope-to"]) assert.deepStrictEqual(read(`${head}: bounces+${id}@example.com\n${bare}`)?.about, [id])
    for (const address of [`englog@${id}.example.com`, `0${id}@example.com`, id, `${id.slice(1)}@example.com`]) assert.deepStrictEqual(to(address), [])
    const other = "6f3a7c58-8a43-4e0e-9a37-5a3f8d6f1c21"
    assert.deepStrictEqual(read(postfix.replace("To: englog@", `To: bounces+${other}@`))?.about, [other, id], "before what others may have put into it")
    const began = performance.now()
    to(`${"a".repeat(500_000)}${"0-".repeat(200_000)}`)
    assert.isBelow(performance.now() - began, 5_000, "however long it is")
  })

  it("is found within a message that forwards it, in any transfer encoding", () => {
    const base64 = Buffer.from(postfix.replaceAll("\n", "\r\n")).toString("base64").replaceAll(/(.{76})/g, "$1\n")
    const forwarded = (encoding: string, body: string) =>
      `Content-Type: multipart/mixed; boundary="out er"\n\n--out er\n\nsee below\n--out er\nContent-Type: message/rfc822\nContent-Transfer-Encoding: ${encoding}\n\n${body}\n--out er--`
    const quoted = postfix.replaceAll("=", "=3D").replaceAll("User unknown", "User un=\nknown")
    for (const raw of [forwarded("8bit", postfix), forwarded("base64", base64), forwarded("quoted-printable", quoted)]) {
      assert.deepStrictEqual(read(raw), read(postfix))
    }
  })

  it("is nothing that a person wrote, that was cut off, or that makes no sense", () => {
    const others = [
      "", "\n", "hello", "Subject: hi\n\nHello", postfix.replace("report-type=delivery-status; boundary=4XyZ.1/mx", ""), postfix.slice(0, 700),
      simple.replace("Action: failed", "Action: none"), "Content-Type: multipart/report; boundary=\"\"\n\n--\n--", "Content-Type: message/rfc822\n\n".repeat(1_000)
    ]
    for (const raw of others) assert.isUndefined(read(raw), raw.slice(0, 60))
    assert.isBelow(postfix.indexOf("Diagnostic"), postfix.length)
    assert.deepInclude(read(postfix.slice(0, postfix.indexOf("Content-Description: Undelivered")))?.recipients[0], { status: "5.1.1" }, "what was cut off after it is read")
  })

  it("is about the address only where the code says so (RFC 3463)", () => {
    const codes = ["5.1.1", "5.0.0", "5.2.1", "5.2.2", "5.4.4", "5.7.1", "4.2.2", "4.1.1", "2.0.0", "5.1.10"]
    assert.deepStrictEqual(codes.filter(isAddressProblem), ["5.1.1", "5.0.0", "5.2.1", "5.1.10"])
  })
})

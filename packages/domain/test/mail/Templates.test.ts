import { assert, describe, it } from "@effect/vitest"
import { DateTime, Schema } from "effect"
import * as fc from "fast-check"
import { Mail, MailTemplate, type MailTemplate as Template } from "../../src/mail/Mail.ts"
import { renderMail, sampleMails } from "../../src/mail/Templates.ts"

const at = DateTime.makeUnsafe("2026-01-12T09:00:00Z")
/** What people try, and anything else. */
const hostile = fc.oneof(
  fc.string({ unit: "binary", maxLength: 300 }),
  fc.constantFrom(
    "<script>alert(1)</script>", "\"><img src=x onerror=alert(1)>", "a\r\nBcc: eve@example.com", "a\nSubject: b", "&lt;b&gt;", "</title><style>", "'+'",
    "\u202Egnp.exe", "javascript:alert(1)", "http://evil.example", "x\u0000y", "\uD800"
  )
)
const mails: fc.Arbitrary<Mail> = fc.record({ a: hostile, b: hostile, c: hostile }).chain(({ a, b, c }) =>
  fc.constantFrom<Mail>(
    { template: "welcome", first_name: a, url: b },
    { template: "team_invitation", team: a, inviter: b, role: c, token: a, expires_at: at, url: null },
    { template: "report_ready", title: a, first_name: b, content: c, period_start: "2026-01-05", period_end: "2026-01-11", url: a },
    { template: "report_ready", title: a, first_name: b, content: `# ${a}\n\n- ${b}\n- ${c}`, period_start: "2026-01-05", period_end: "2026-01-11", url: a },
    { template: "weekly_report", first_name: a, content: c, period_start: "2026-01-05", period_end: "2026-01-11", url: b },
    { template: "deletion_scheduled", first_name: a, delete_after: at, url: b },
    { template: "password_changed", first_name: a, at },
    { template: "email_change", token: a, expires_at: at, url: b },
    { template: "email_change_requested", first_name: a, email: b, expires_at: at, url: c },
    { template: "email_changed", first_name: a, email: b, at },
    { template: "notification", first_name: a, title: b, body: c, url: a }
  ))

const tagsOf = (html: string) => [...html.matchAll(/<[^>]*>?/g)].map(([tag]) => tag)
const ours = /^<(?:!doctype html|html lang="en"|\/?(?:head|p|h2|ul|li|a|code|div|title|body|html)|meta charset="utf-8"|meta name="viewport" content="width=device-width"|br|(?:body|div|p|h2|code) style="[^"<>]*"|a href="https?:\/\/[^"<>]*" style="[^"<>]*")>$/

describe("mail templates", () => {
  it("let no text become markup, in whatever field it stands", () => {
    fc.assert(fc.property(mails, (mail) => {
      for (const tag of tagsOf(renderMail(mail).html)) assert.match(tag, ours)
    }), { numRuns: 2_000 })
  })

  it("have a subject of one line that no text can break out of", () => {
    fc.assert(fc.property(mails, (mail) => {
      const { subject } = renderMail(mail)
      assert.notMatch(subject, /[\u0000-\u001F\u007F-\u009F\u2028\u2029\u202A-\u202E\u2066-\u2069]/)
      assert.isAtMost([...subject].length, 200)
      assert.isTrue(subject.isWellFormed())
    }), { numRuns: 2_000 })
  })

  it("show a stranger no name that a mail program makes a link of", () => {
    const { html, subject, text } = renderMail({ ...sampleMails.welcome, template: "team_invitation", team: "Win at https://evil.example/x now", inviter: "www.evil.example", role: "member", token: "t", expires_at: at, url: null })
    for (const form of [subject, text, html]) {
      assert.notInclude(form, "evil.example")
      assert.notInclude(form, "//evil")
    }
  })

  it("link only to http and https addresses", () => {
    assert.notInclude(renderMail({ template: "welcome", first_name: "Ada", url: "javascript:alert(1)" }).html, "javascript")
    assert.include(renderMail({ template: "welcome", first_name: "Ada", url: "https://englog.example.com/" }).html, "href=\"https://englog.example.com/\"")
  })

  it("have a sample each, which says the same in both forms", () => {
    const names: ReadonlyArray<Template> = MailTemplate.literals
    for (const template of names) {
      const sample = sampleMails[template]
      assert.strictEqual(sample.template, template)
      const { html, text } = renderMail(sample)
      const words = html.replaceAll(/<title>.*<\/title>/g, "").replaceAll(/<[^>]*>/g, " ").replaceAll("&#39;", "'").split(/\s+/).filter((word) => /^[a-z]{4,}$/i.test(word))
      for (const word of words) assert.include(text, word)
    }
  })

  it("survive being stored", () => {
    const codec = Schema.fromJsonString(Mail)
    for (const mail of Object.values(sampleMails)) {
      const stored = Schema.encodeSync(codec)(mail)
      assert.deepStrictEqual(renderMail(Schema.decodeSync(codec)(stored)), renderMail(mail))
    }
  })
})

/** What each template says. English; the words of people stand where the template puts them, and nowhere else. */
import { DateTime } from "effect"
import { type Block, code, heading, type Letter, link, name, paragraph, render, type RenderedMail } from "./Letter.ts"
import type { Mail, MailTemplate } from "./Mail.ts"

export const renderMail = (mail: Mail): RenderedMail => render(letterOf(mail))

const letterOf = (mail: Mail): Letter => {
  switch (mail.template) {
    case "welcome":
      return {
        subject: "Welcome to EngLog",
        blocks: [
          paragraph(`Hello ${name(mail.first_name)},`),
          paragraph("Your EngLog account is ready. Record what you do, and get back insights and reports whose figures you can check."),
          ...link("Open EngLog", mail.url)
        ],
        footer: ofAccount
      }
    case "team_invitation":
      return {
        subject: `You are invited to the team “${name(mail.team)}” on EngLog`,
        blocks: [
          paragraph(`“${name(mail.inviter)}” invites you to join the team “${name(mail.team)}” on EngLog as ${name(mail.role)}.`),
          paragraph(`To join, log in to EngLog with this e-mail address and accept the invitation with this code until ${moment(mail.expires_at)}:`),
          code(mail.token),
          ...link("Open EngLog", mail.url)
        ],
        footer: "You get this e-mail because somebody entered your address on EngLog. If you do not know them, ignore it: nothing happens."
      }
    case "report_ready":
      return {
        subject: `Your report is ready: ${name(mail.title)}, ${mail.period_start} to ${mail.period_end}`,
        blocks: report(mail, `Your report “${name(mail.title)}” for ${mail.period_start} to ${mail.period_end} is ready.`),
        footer: ofReports
      }
    case "weekly_report":
      return {
        subject: `Your week on EngLog: ${mail.period_start} to ${mail.period_end}`,
        blocks: report(mail, `This is your week from ${mail.period_start} to ${mail.period_end}.`),
        footer: ofReports
      }
    case "deletion_scheduled":
      return {
        subject: "Your EngLog account will be deleted",
        blocks: [
          paragraph(`Hello ${name(mail.first_name)},`),
          paragraph(`The deletion of your EngLog account was scheduled. It will be deleted in the first night after ${moment(mail.delete_after)}, with everything in it.`),
          paragraph("If this was not you, log in, cancel the deletion and change your password."),
          ...link("Open EngLog", mail.url)
        ],
        footer: ofAccount
      }
    case "password_changed":
      return {
        subject: "Your EngLog password was changed",
        blocks: [
          paragraph(`Hello ${name(mail.first_name)},`),
          paragraph(`The password of your EngLog account was changed at ${moment(mail.at)}. All other sessions have ended.`),
          paragraph("If this was not you, somebody else may have your account: turn to whoever runs this EngLog.")
        ],
        footer: ofAccount
      }
    case "email_change":
      return {
        subject: "Confirm your new e-mail address for EngLog",
        blocks: [
          paragraph("An EngLog account is to have this e-mail address."),
          paragraph(`To confirm it, log in to the account as before and enter this code until ${moment(mail.expires_at)}:`),
          code(mail.token),
          ...link("Open EngLog", mail.url)
        ],
        footer: "You get this e-mail because somebody entered your address on EngLog. If it was not you, ignore it: nothing happens."
      }
    case "email_change_requested":
      return {
        subject: "Your EngLog account is to have another e-mail address",
        blocks: [
          paragraph(`Hello ${name(mail.first_name)},`),
          paragraph(`Somebody who knows your password asked that your EngLog account have this e-mail address, and can confirm it until ${moment(mail.expires_at)}:`),
          code(mail.email),
          paragraph("If this was not you, change your password now: that ends it."),
          ...link("Open EngLog", mail.url)
        ],
        footer: ofAccount
      }
    case "email_changed":
      return {
        subject: "Your EngLog account has another e-mail address",
        blocks: [
          paragraph(`Hello ${name(mail.first_name)},`),
          paragraph(`At ${moment(mail.at)} your EngLog account got this e-mail address in place of the one to which this is sent. All other sessions have ended.`),
          code(mail.email),
          paragraph("If this was not you, somebody else has your account: turn to whoever runs this EngLog.")
        ],
        footer: ofAccount
      }
    case "notification":
      return {
        subject: name(mail.title),
        blocks: [paragraph(`Hello ${name(mail.first_name)},`), heading(mail.title), ...blocksOf(mail.body ?? ""), ...link("Open it", mail.url)],
        footer: "You get this e-mail because you had EngLog tell you this by e-mail."
      }
    case "team_notification":
      return {
        subject: `${name(mail.team)}: ${name(mail.title)}`,
        blocks: [
          paragraph(`Hello ${name(mail.first_name)},`),
          paragraph(`${name(mail.sender)} tells the team ${name(mail.team)}:`),
          heading(mail.title),
          ...blocksOf(mail.body ?? ""),
          ...link("Open it", mail.url)
        ],
        footer: "You get this e-mail because you are a member of the team. You can unsubscribe at any time, in your preferences or in your mail program."
      }
    case "test":
      return {
        subject: "E-mail from EngLog works",
        blocks: [paragraph(`This test was asked for at ${moment(mail.at)}. That you read it means that EngLog can send e-mail.`)],
        footer: ofAccount
      }
  }
}

const ofAccount = "You get this e-mail because it concerns your EngLog account."
const ofReports = "You get this e-mail because your preferences ask for reports by e-mail. You can unsubscribe at any time, there or in your mail program."

const moment = (at: DateTime.Utc): string => `${DateTime.formatIso(at).slice(0, 16).replace("T", " ")} UTC`

const report = (mail: { readonly first_name: string; readonly content: string; readonly url: string | null }, first: string): ReadonlyArray<Block> => [
  paragraph(`Hello ${name(mail.first_name)},`),
  paragraph(first),
  ...blocksOf(mail.content),
  ...link("Open it in EngLog", mail.url)
]

/** Headings, lists and paragraphs of Markdown; whatever else it has stands as it was written. */
export const blocksOf = (markdown: string): ReadonlyArray<Block> =>
  markdown.split(/\n[^\S\n]*\n/).map((part) => part.trim()).filter((part) => part !== "").map(blockOf)

const blockOf = (part: string): Block => {
  const rows = part.split("\n")
  const title = /^#{1,6} (.+)$/.exec(part)?.[1]
  if (rows.length === 1 && title !== undefined) return heading(title)
  return rows.every((row) => /^[-*] /.test(row)) ? { _tag: "Bullets", items: rows.map((row) => row.slice(2)) } : paragraph(part)
}

const at = DateTime.makeUnsafe("2026-01-12T09:00:00Z")
const sample = {
  first_name: "Ada",
  period_start: "2026-01-05",
  period_end: "2026-01-11",
  content: "## Where the time went\n\nYou recorded 31.5 hours in 18 entries.\n\n- 12 hours of code\n- 6 hours of review",
  url: "https://englog.example.com/docs"
}

/** One of each, for previews. */
export const sampleMails: Readonly<Record<MailTemplate, Mail>> = {
  welcome: { template: "welcome", first_name: "Ada", url: sample.url },
  team_invitation: {
    template: "team_invitation", team: "Compilers", inviter: "Grace Hopper", role: "member", token: "the-code-of-the-invitation", expires_at: at, url: sample.url
  },
  report_ready: { template: "report_ready", title: "productivity", ...sample },
  weekly_report: { template: "weekly_report", ...sample },
  deletion_scheduled: { template: "deletion_scheduled", first_name: "Ada", delete_after: at, url: sample.url },
  password_changed: { template: "password_changed", first_name: "Ada", at },
  email_change: { template: "email_change", token: "the-code-of-the-change", expires_at: at, url: sample.url },
  email_change_requested: { template: "email_change_requested", first_name: "Ada", email: "ada.lovelace@example.com", expires_at: at, url: sample.url },
  email_changed: { template: "email_changed", first_name: "Ada", email: "ada.lovelace@example.com", at },
  notification: { template: "notification", first_name: "Ada", title: "The release is out", body: "Version 2.1 is deployed everywhere.", url: sample.url },
  team_notification: { template: "team_notification", first_name: "Ada", team: "Engines", sender: "Charles Babbage", title: "The release is out", body: "Version 2.1 is deployed everywhere.", url: sample.url },
  test: { template: "test", at }
}

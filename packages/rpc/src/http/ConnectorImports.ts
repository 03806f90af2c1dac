/** What is asked for of repositories, GitHub, Jira and Slack. What may be fetched and read, the worker decides: it is the one that is there. */
import { TimeZone } from "@englog/domain/users/TimeZone"
import { Schema } from "effect"
import { periodFields, shortEnough } from "./ImportPeriodFields.ts"
import { PlainText } from "./PlainText.ts"
import { inOrder } from "./Times.ts"

const text = (max: number, expected: string, problem: (text: string) => boolean) =>
  PlainText({ min: 1, max }).check(
    Schema.makeFilter<string>((given) => problem(given) ? expected : undefined, { expected, toJsonSchema: () => [{}, true] })
  )

/** Goes into a header. */
const Token = text(1_000, "must be ASCII without spaces", (token) => !/^[\x21-\x7e]+$/.test(token))

const BaseUrl = text(500, "must be an https address without user, query and fragment", (given) => {
  const url = URL.parse(given)
  return url === null || !/^https?:$/.test(url.protocol) || url.hostname === "" || url.username !== "" || url.password !== "" || /[?#]/.test(given)
})

const Email = text(254, "must be an e-mail address", (email) => !/^[^\s@]+@[^\s@]+$/.test(email))

const Folder = text(4_000, "must be an absolute path without . and .. in it", (path) =>
  !/^(\/|[A-Za-z]:[\\/])/.test(path) || path.split(/[\\/]/).some((part) => part === "." || part === ".."))

export const GitImport = Schema.Struct({
  path: Folder.annotate({ description: "Folder of the repository on the worker's machine, within one that `IMPORT_GIT_ROOTS` allows there." }),
  author_emails: Schema.optionalKey(Schema.Array(Email).check(Schema.isMinLength(1), Schema.isMaxLength(20)).annotate({
    description: "Whose commits are imported; your own where they are not given."
  })),
  ...periodFields
}).check(inOrder("from", "to"), shortEnough).annotate({ identifier: "GitImport" })
export type GitImport = typeof GitImport.Type

const Repository = text(200, "must be owner/name", (given) => !/^[A-Za-z0-9_-]+\/(?!\.{1,2}$)[A-Za-z0-9._-]+$/.test(given))

export const GitHubImport = Schema.Struct({
  repositories: Schema.Array(Repository).check(Schema.isMinLength(1), Schema.isMaxLength(20)).annotate({ description: "`owner/name` each." }),
  token: Schema.optionalKey(Token.annotate({
    description: "A token that may read contents and pull requests. Without it, what everybody may read of `login`."
  })),
  login: Schema.optionalKey(text(100, "must be a login of GitHub", (login) => !/^[A-Za-z0-9_-]+(\[bot\])?$/.test(login)).annotate({
    description: "Whose work is imported; the token's owner's where it is not given."
  })),
  base_url: Schema.optionalKey(BaseUrl.annotate({
    description: "Of the REST API: https://api.github.com where it is not given; https://HOST/api/v3 for GitHub Enterprise Server."
  })),
  ...periodFields
}).check(
  inOrder("from", "to"),
  shortEnough,
  Schema.makeFilter((given: { readonly token?: string; readonly login?: string }) =>
    given.token === undefined && given.login === undefined ? { path: ["token"], issue: "is required, or login" } : undefined,
    { toJsonSchema: () => [{}, true] })
).annotate({ identifier: "GitHubImport" })
export type GitHubImport = typeof GitHubImport.Type

export const JiraImport = Schema.Struct({
  base_url: BaseUrl.annotate({ description: "Such as https://example.atlassian.net, or the address of your own Jira." }),
  email: Schema.optionalKey(Email.annotate({
    description: "With it, `token` is an API token of Jira Cloud; without it, a personal access token of Server or Data Center."
  })),
  token: Token,
  ...periodFields
}).check(inOrder("from", "to"), shortEnough).annotate({ identifier: "JiraImport" })
export type JiraImport = typeof JiraImport.Type

export const SlackImport = Schema.Struct({
  token: Token.annotate({ description: "A user token with the scope users.profile:read." }),
  base_url: Schema.optionalKey(BaseUrl.annotate({
    description: "Of the Web API: https://slack.com/api where it is not given; https://slack-gov.com/api for GovSlack."
  })),
  timezone: Schema.optionalKey(TimeZone.annotate({ description: "What today is; yours where it is not given." }))
}).annotate({ identifier: "SlackImport" })
export type SlackImport = typeof SlackImport.Type

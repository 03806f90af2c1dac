/** GitHub's REST API, as far as it tells what somebody did: https://docs.github.com/rest */
import { Effect, Schema } from "effect"
import { TaskFailure } from "../../handlers/TaskHandler.ts"
import type { JsonApi, Limited, Refused } from "../JsonApi.ts"

export const User = Schema.Struct({ login: Schema.String })

export const ListedCommit = Schema.Struct({
  sha: Schema.NonEmptyString,
  commit: Schema.Struct({
    author: Schema.Struct({ name: Schema.String, email: Schema.String, date: Schema.String }),
    message: Schema.String
  }),
  parents: Schema.Array(Schema.Unknown)
})

export const Branch = Schema.Struct({ name: Schema.String, commit: Schema.Struct({ sha: Schema.NonEmptyString }) })

/** Null: an account that is gone. */
const Account = Schema.NullOr(User)

export const PullRequest = Schema.Struct({
  node_id: Schema.NonEmptyString,
  number: Schema.Int,
  title: Schema.String,
  body: Schema.NullOr(Schema.String),
  html_url: Schema.String,
  user: Account,
  created_at: Schema.String,
  updated_at: Schema.String
})

export const Review = Schema.Struct({
  node_id: Schema.NonEmptyString,
  body: Schema.NullOr(Schema.String),
  html_url: Schema.String,
  user: Account,
  /** Not there as long as the review is not handed in. */
  submitted_at: Schema.optionalKey(Schema.NullOr(Schema.String))
})

export const PER_PAGE = 100
const MAX_PAGES = 100

const Page = Schema.Array(Schema.Unknown)

/** Page after page as the Link header names them, until there is none or `each` has seen enough. False: it ended before that. */
export const pages = Effect.fnUntraced(function*<E, R>(
  api: JsonApi,
  first: string,
  each: (page: ReadonlyArray<unknown>) => Effect.Effect<boolean, E, R>
): Effect.fn.Return<boolean, E | TaskFailure | Limited | Refused, R> {
  let url: string | undefined = first
  for (let page = 0; page < MAX_PAGES && url !== undefined; page++) {
    const answer: { readonly body: ReadonlyArray<unknown>; readonly headers: Readonly<Record<string, string>> } = yield* api.get(url, Page)
    const goesOn = yield* each(answer.body)
    url = goesOn ? yield* nextOf(answer.headers["link"], url) : undefined
  }
  return url === undefined
})

/** RFC 8288. Another origin would be given the token. */
const nextOf = Effect.fnUntraced(function*(link: string | undefined, from: string) {
  const next = /<([^<>]*)>\s*;[^,<]*\brel="?next"?/i.exec(link ?? "")?.[1]
  if (next === undefined) return undefined
  const url = URL.parse(next, from)
  if (url?.origin === new URL(from).origin) return url.href
  return yield* new TaskFailure({ message: "GitHub names a next page at another address", retryable: false })
})

/** What was asked for is named as it is in the request. */
export const failureOf = ({ headers, status }: Refused, what: string): TaskFailure => {
  const message = status === 401
    ? "token: GitHub does not accept it: it is wrong, expired or revoked"
    : headers["x-github-sso"] !== undefined
    ? `token: the organization of ${what} asks for single sign-on; authorize the token for it in GitHub's settings`
    : status === 403
    ? `token: it may not read ${what}: it needs read access to contents and pull requests`
    : status === 404
    ? `${what}: GitHub has none that this token may read`
    : status === 451
    ? `${what}: GitHub does not show it for legal reasons`
    : `GitHub answered ${status} for ${what}`
  return new TaskFailure({ message, retryable: false })
}

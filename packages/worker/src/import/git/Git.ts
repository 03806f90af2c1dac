/** Commits of a repository on the worker's machine. */
import { DateTime, Effect, Stream } from "effect"
import { isWithin } from "../calendar/CalendarData.ts"
import { commitItems, isInReach, reach } from "../CommitItems.ts"
import * as ImportSource from "../ImportSource.ts"
import { problemOf } from "../ImportText.ts"
import { GitRepositories } from "./GitRepositories.ts"

export const git = Effect.map(GitRepositories, ({ read }) =>
  ImportSource.make("git", ({ authors, path }, { period, resume }) =>
    Stream.unwrap(Effect.gen(function*() {
      const { commits, cut, name } = yield* read(path, period === null ? null : DateTime.subtractDuration(period.from, reach))
      const own = commits.filter((commit) => authors.includes(commit.email.toLowerCase()) && isInReach(commit, period))
      const found = commitItems(own.map((commit) => ({ commit, repository: name })), "git")
      const items = found.filter((item) => isWithin(item, period))
      const problems = cut ? [problemOf({ item: name, error: `only the newest ${commits.length} commits were read; import a shorter period` })] : []
      return ImportSource.paged({ items, problems, skipped: found.length - items.length }, resume)
    }))))

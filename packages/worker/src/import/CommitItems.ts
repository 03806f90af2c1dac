/** Commits of one author as items: by the rules of CommitEntries. */
import type { Commit } from "@englog/domain/imports/commits/Commit"
import { commitEntries } from "@englog/domain/imports/commits/CommitEntries"
import { LONGEST_MINUTES } from "@englog/domain/imports/commits/CommitTimes"
import type { ImportedItem } from "@englog/domain/imports/ImportedItem"
import type { ImportPeriod } from "@englog/domain/imports/ImportInput"
import { DateTime, Duration } from "effect"
import { isStorable } from "./ApiTimes.ts"
import { descriptionOf, tagsOf, textOf, titleOf } from "./ImportText.ts"

/** What is to be read beside the period: when work began is told by the commit before, and ends with one that may come after it. */
export const reach = Duration.minutes(LONGEST_MINUTES + 60)

export const isInReach = ({ at }: Commit, period: ImportPeriod | null): boolean =>
  isStorable(at) && (period === null
    || (!DateTime.isLessThan(at, DateTime.subtractDuration(period.from, reach)) && DateTime.isLessThan(at, DateTime.addDuration(period.to, reach))))

export interface CommitOf {
  readonly commit: Commit
  readonly repository: string
}

/** Each commit once, however many repositories have it. Work on several repositories is laid one after the other. */
export const commitItems = (found: ReadonlyArray<CommitOf>, source: string): ReadonlyArray<ImportedItem> => {
  const once = [...new Map(found.map((one) => [one.commit.sha, one])).values()].toSorted((a, b) =>
    DateTime.toEpochMillis(a.commit.at) - DateTime.toEpochMillis(b.commit.at) || (a.commit.sha < b.commit.sha ? -1 : 1))
  const repositories = new Map(once.map(({ commit, repository }) => [commit.sha, repository]))
  const entries = commitEntries(once.map(({ commit }) => commit), ({ sha }) => repositories.get(sha) ?? "")
  return entries.flatMap((entry, index) => {
    const sha = once[index]?.commit.sha
    return sha === undefined ? [] : [{
      source,
      external_id: sha,
      occurrence: "",
      removed: false,
      title: titleOf(entry.title),
      description: descriptionOf(entry.description ?? ""),
      start_time: entry.start_time,
      end_time: entry.end_time,
      all_day: false,
      type: entry.type,
      impact_level: entry.impact_level,
      tags: tagsOf(entry.tags),
      project: textOf(entry.project, 200)
    }]
  })
}

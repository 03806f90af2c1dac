/** Pull requests and reviews as items. GitHub knows when they ended only: a usual length is taken, which their owner corrects. */
import type { ImportedItem } from "@englog/domain/imports/ImportedItem"
import { DateTime } from "effect"
import { instantOf } from "../ApiTimes.ts"
import { descriptionOf, tagsOf, textOf, titleOf } from "../ImportText.ts"
import { suggestType } from "../SuggestType.ts"
import type { PullRequest, Review } from "./GitHubApi.ts"

/** Describing and opening it; the work itself is in its commits. */
const OPENING = { minutes: 15 }
const REVIEWING = { minutes: 30 }

export const pullRequestItem = (found: typeof PullRequest.Type, repository: string): ReadonlyArray<ImportedItem> => {
  const end_time = instantOf(found.created_at)
  return end_time === undefined ? [] : [{
    ...shared(repository),
    external_id: textOf(found.node_id, 1_000),
    title: titleOf(`Open pull request #${found.number}: ${found.title}`),
    description: descriptionOf([found.html_url, found.body ?? ""].join("\n\n")),
    start_time: DateTime.subtract(end_time, OPENING),
    end_time,
    type: suggestType(found.title, "code"),
    tags: tagsOf(["pull-request"])
  }]
}

export const reviewItem = (review: typeof Review.Type, reviewed: typeof PullRequest.Type, repository: string): ReadonlyArray<ImportedItem> => {
  const end_time = instantOf(review.submitted_at)
  return end_time === undefined ? [] : [{
    ...shared(repository),
    external_id: textOf(review.node_id, 1_000),
    title: titleOf(`Review pull request #${reviewed.number}: ${reviewed.title}`),
    description: descriptionOf([review.html_url, review.body ?? ""].join("\n\n")),
    start_time: DateTime.subtract(end_time, REVIEWING),
    end_time,
    type: "review",
    tags: tagsOf(["code-review"])
  }]
}

const shared = (repository: string) => ({
  source: "github",
  occurrence: "",
  removed: false,
  all_day: false,
  impact_level: "team" as const,
  project: textOf(repository.split("/")[1] ?? repository, 200)
})

/** Worklogs and resolved issues as items. Their names hold the Jira's address: ids are unique within one only. */
import type { ImportedItem } from "@englog/domain/imports/ImportedItem"
import { addDays, localDayOf, startOfLocalDay } from "@englog/domain/users/LocalDays"
import { DateTime } from "effect"
import { instantOf, isStorable } from "../ApiTimes.ts"
import { descriptionOf, tagsOf, textOf, titleOf } from "../ImportText.ts"
import { suggestType } from "../SuggestType.ts"
import type { Issue, Worklog } from "./JiraApi.ts"

/** Or what is wrong with it. */
export const worklogItem = (worklog: Worklog, issue: Issue, base: string): ImportedItem | string => {
  const start_time = instantOf(worklog.started)
  if (start_time === undefined) return "its start is no time between the years 1900 and 2199"
  if (!(worklog.timeSpentSeconds > 0)) return "it took no time"
  const end_time = DateTime.add(start_time, { seconds: worklog.timeSpentSeconds })
  if (!isStorable(end_time)) return "it takes too long"
  const comment = worklog.comment ?? ""
  return {
    ...shared(issue),
    external_id: textOf(`${hostOf(base)}/worklog/${worklog.id}`, 1_000),
    title: titleOf(`${issue.key} ${issue.fields.summary ?? ""}`),
    description: descriptionOf(comment),
    start_time,
    end_time,
    all_day: false,
    type: suggestType(`${comment} ${issue.fields.summary ?? ""}`, usualType(issue))
  }
}

/** That it was done on this day; when on it, Jira does not know. */
export const resolvedItem = (issue: Issue, base: string, timezone: string): ReadonlyArray<ImportedItem> => {
  const at = instantOf(issue.fields.resolutiondate)
  if (at === undefined) return []
  const day = localDayOf(at, timezone)
  return [{
    ...shared(issue),
    external_id: textOf(`${hostOf(base)}/issue/${issue.id}`, 1_000),
    title: titleOf(`Resolve ${issue.key} ${issue.fields.summary ?? ""}`),
    description: null,
    start_time: startOfLocalDay(day, timezone),
    end_time: startOfLocalDay(addDays(day, 1), timezone),
    all_day: true,
    type: suggestType(issue.fields.summary ?? "", usualType(issue))
  }]
}

const shared = ({ fields }: Issue) => ({
  source: "jira",
  occurrence: "",
  removed: false,
  impact_level: "team" as const,
  tags: tagsOf(fields.issuetype === undefined || fields.issuetype === null ? [] : [fields.issuetype.name]),
  project: fields.project === undefined || fields.project === null ? null : textOf(fields.project.name, 200)
})

const usualType = ({ fields }: Issue) => /^bug$/i.test(fields.issuetype?.name ?? "") ? "debug" as const : "code" as const

const hostOf = (base: string): string => {
  const { host, pathname } = new URL(base)
  return `${host}${pathname === "/" ? "" : pathname}`
}

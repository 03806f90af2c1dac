/** What people ask of a long history: every filter of the list, alone and together, every order, and the analytics. */

export interface Question {
  readonly name: string
  readonly path: string
  /** Milliseconds that 95 of 100 answers may take (issue "EngLog, the product around the main job"). */
  readonly target_p95_ms: number
}

/** `project`: one of the asker's. `year`: a day a year ago. `cursor`: of the list's eleventh page of 50. */
export const questions = ({ cursor, project, year }: { readonly cursor: string; readonly project: string; readonly year: string }): ReadonlyArray<Question> => [
  ...[
    ["newest", ""],
    ["type", "type=debug"],
    ["project", `project_id=${project}`],
    ["tags", "tags=database,security"],
    ["value", "value_rating=high"],
    ["impact", "impact_level=company"],
    ["days", `start_date=${year}&end_date=${year.slice(0, 8)}28`],
    ["word", "q=billing"],
    ["words", "q=flag+monday+scheduler"],
    ["no such word", "q=xylophone"],
    ["word, type, value, tag, project, days", `q=billing&type=code&value_rating=high&tags=backend&project_id=${project}&start_date=${year}`],
    ["running", "running=true"],
    ["by start, oldest first", "sort=start_time&order=asc"],
    ["by creation", "sort=created_at"],
    ["by change", "sort=updated_at"],
    ["by duration", "sort=duration"],
    ["tag by duration", "tags=on-call&sort=duration"],
    ["page 11", `cursor=${cursor}`]
  ].map(([name, query]) => ({ name: `list: ${name}`, path: `/v1/logs?limit=50${query === "" ? "" : `&${query}`}`, target_p95_ms: 30 })),
  { name: "dashboard: 30 days", path: "/v1/analytics/dashboard", target_p95_ms: 50 },
  { name: "dashboard: a year", path: `/v1/analytics/dashboard?start_date=${year}&end_date=${nextYear(year)}`, target_p95_ms: 50 },
  { name: "distribution: 30 days", path: "/v1/analytics/time-distribution", target_p95_ms: 50 },
  { name: "trends: 12 weeks", path: "/v1/analytics/productivity-trends", target_p95_ms: 50 },
  { name: "trends: 104 weeks", path: "/v1/analytics/productivity-trends?weeks=104", target_p95_ms: 50 }
]

const nextYear = (day: string): string => `${Number(day.slice(0, 4)) + 1}${day.slice(4)}`

/** What this worker imports from. */
import type { GuardedFetch } from "../web/GuardedFetch.ts"
import { calendarData } from "./calendar/CalendarData.ts"
import { calendarFile } from "./calendar/CalendarFile.ts"
import { calendarUrl } from "./calendar/CalendarUrl.ts"
import { csvFile } from "./csv/CsvFile.ts"
import { git } from "./git/Git.ts"
import type { GitRepositories } from "./git/GitRepositories.ts"
import { github } from "./github/GitHub.ts"
import type { MadeSource } from "./ImportSource.ts"
import { jira } from "./jira/Jira.ts"
import { slack } from "./slack/Slack.ts"

export const importSources: ReadonlyArray<MadeSource<never, GuardedFetch | GitRepositories>> = [
  calendarData, calendarFile, calendarUrl, csvFile, git, github, jira, slack
]

/** Where the fence stands in the sources, word by word, and what stands there without it. */

export interface Cut {
  readonly file: string
  readonly text: string
  readonly instead: string
}

export const fence: ReadonlyArray<Cut> = [
  {
    file: "packages/api/src/queue/TaskOutcomes.ts",
    text: `  if (holder === null || !mine.includes(holder)) return "this session does not hold the task"
  if (report.attempt !== 0 && report.attempt !== task.attempt) {
    return \`attempt \${report.attempt} is over; the task is at attempt \${task.attempt}\`
  }
  return undefined`,
    instead: `  void mine
  void holder
  return undefined`
  },
  {
    file: "packages/api/src/queue/OutcomeRepo.ts",
    text: `WHERE q.id = n.number AND q.attempt = n.attempt AND q.session_id = n.session_id AND q.state = 'running'`,
    instead: `WHERE q.id = n.number AND q.state = 'running'`
  }
]

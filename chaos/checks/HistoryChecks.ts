/** What is told of a task: a history without gaps that fits its record, the same to everybody who follows it. */
import type { Step } from "../Evidence.ts"
import { type Check, terminal, type Violation } from "./Violation.ts"

export const historyWhole: Check = ({ histories, tasks }) =>
  tasks.filter(({ outcome }) => outcome !== null).flatMap(({ attempt, outcome, task }) => {
    const steps = histories.get(task) ?? []
    const fault = faultIn(steps, outcome ?? "", attempt ?? 0)
    return fault === undefined ? [] : [broken("history_whole", task, fault)]
  })

const faultIn = (steps: ReadonlyArray<Step>, outcome: string, attempt: number): string | undefined => {
  const numbers = steps.map(({ seq }) => seq)
  if (numbers.some((seq, index) => seq !== index + 1)) return `its steps are numbered ${numbers.join(", ")}`
  if (steps[0]?.type !== "queued") return `it begins with ${steps[0]?.type ?? "nothing"}`
  const ends = steps.filter(({ type }) => terminal.has(type))
  if (ends.length !== 1 || steps.at(-1)?.type !== outcome) return `it is ${outcome}, its steps are ${steps.map(({ type }) => type).join(", ")}`
  const started = steps.filter(({ type }) => type === "started").map((step) => step.attempt)
  if (started.length !== attempt || started.some((number, index) => number !== index + 1)) return `it is at attempt ${attempt}, and the attempts ${started.join(", ")} were told`
  return undefined
}

/** Every subscriber saw every step, once, in order, whatever connections it took. */
export const subscribersSawAll: Check = ({ histories, received, subscriptions }) => {
  const seen = Map.groupBy(received, ({ subscriber, task }) => `${subscriber} ${task}`)
  return subscriptions.flatMap(({ subscriber, task }) => {
    const told = (histories.get(task) ?? []).map(({ seq, type }) => `${seq} ${type}`).join(", ")
    const saw = (seen.get(`${subscriber} ${task}`) ?? []).map(({ seq, type }) => `${seq} ${type}`).join(", ")
    return told === saw ? [] : [broken("subscribers_saw_all", task, `${subscriber} saw ${saw === "" ? "nothing" : saw}; its history is ${told === "" ? "empty" : told}`)]
  })
}

const broken = (rule: string, task: string, what: string): Violation => ({ rule, task, what })

/**
 * The ends of tasks as events for endpoints, told in the transaction that ends the task. They hold ids and states, no text that
 * somebody wrote: whoever gets them asks the API for the rest.
 */
import { InsightGeneration } from "@englog/domain/tasks/InsightGeneration"
import { publicName } from "@englog/domain/tasks/TaskKind"
import { toPublicState } from "@englog/domain/tasks/TaskState"
import { WebhookDelivery } from "@englog/domain/tasks/WebhookDelivery"
import { WeeklyReport } from "@englog/domain/tasks/WeeklyReport"
import { Effect, Layer, Option, Schema } from "effect"
import { type Ending, TaskEndings } from "../queue/TaskEndings.ts"
import { type Event, EventMessages } from "./EventMessages.ts"

export const WebhookEventsLive = Layer.effectDiscard(Effect.gen(function*() {
  const endings = yield* TaskEndings
  const { tell } = yield* EventMessages

  // What a delivery comes to stands in its log: an event about it would be delivered, too, and so on for ever.
  yield* endings.follow(Effect.fn("WebhookEvents.ended")((ending) =>
    ending.task.kind === WebhookDelivery.kind ? Effect.void : Effect.forEach(eventsOf(ending), (event) => tell(ending.task.organization_id, event), { discard: true })))
}))

const taskEvent = { completed: "task.completed", failed: "task.failed", expired: "task.failed", cancelled: "task.cancelled" } as const

const eventsOf = ({ reason, result, state, task }: Ending): ReadonlyArray<Event> => {
  const { organization_id, task_id, user_id } = task
  const about = { task_id, task_type: publicName(task.kind), organization_id, user_id }
  const ended: Event = { type: taskEvent[state], data: { ...about, status: toPublicState(state), reason } }
  const insight = NARRATIONS.has(task.kind) && result !== null ? decodeInsight(result) : Option.none()
  return Option.match(insight, {
    onNone: () => [ended],
    onSome: ({ insight_id }) => [ended, { type: "insight.created", data: { ...about, insight_id } }]
  })
}

/** Their effect stores an insight in the transaction that completes them, and their result names it. */
const NARRATIONS: ReadonlySet<string> = new Set([InsightGeneration.kind, WeeklyReport.kind])
const decodeInsight = Schema.decodeOption(Schema.fromJsonString(Schema.Struct({ insight_id: Schema.String })))

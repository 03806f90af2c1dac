/** A message as a task: both are stored in one transaction, and neither without the other. */
import { WebhookDeliveryId, type OrganizationId, type UserId } from "@englog/domain/Ids"
import { WebhookDelivery } from "@englog/domain/tasks/WebhookDelivery"
import type { TaskPolicy } from "@englog/domain/tasks/TaskPolicy"
import { webhookIdOf } from "@englog/domain/webhooks/Webhook"
import { Context, Effect, Layer } from "effect"
import { SqlClient } from "effect/sql"
import { randomUUID } from "node:crypto"
import { type Submission, type SubmissionError, TaskQueue } from "../queue/TaskQueue.ts"
import { DeliveryRepo, type NewDelivery, type StoredDelivery } from "./DeliveryRepo.ts"
import type { StoredEndpoint } from "./WebhookRepo.ts"

export interface Enqueued {
  readonly task_id: NewDelivery["task_id"]
  readonly delivery_id: WebhookDeliveryId
  readonly webhook_id: string
}

/** How its task is queued. */
export type Terms = Partial<Pick<Submission, "policy" | "name" | "delay" | "limit" | "followUp">>

export class DeliveryTasks extends Context.Service<DeliveryTasks, {
  readonly enqueue: (message: Omit<NewDelivery, "id" | "task_id">, terms: Terms) => Effect.Effect<Enqueued, SubmissionError>
  /** The same message once more, under the same webhook-id. */
  readonly again: (delivery: StoredDelivery, terms: Terms) => Effect.Effect<Enqueued, SubmissionError>
}>()("@englog/api/webhooks/DeliveryTasks") {
  static readonly layer = Layer.effect(
    DeliveryTasks,
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      const repo = yield* DeliveryRepo
      const queue = yield* TaskQueue

      const enlist = (id: WebhookDeliveryId, owner: Owner, terms: Terms) =>
        Effect.map(queue.enlist(submissionOf(id, owner, terms)), ({ task_id }) => ({ task_id, delivery_id: id, webhook_id: webhookIdOf(id) }))

      return DeliveryTasks.of({
        enqueue: Effect.fn("DeliveryTasks.enqueue")((message, terms) =>
          sql.withTransaction(Effect.gen(function*() {
            const id = WebhookDeliveryId.make(randomUUID())
            const enqueued = yield* enlist(id, message, terms)
            yield* repo.insert({ ...message, id, task_id: enqueued.task_id })
            return enqueued
          }))
        ),
        again: Effect.fn("DeliveryTasks.again")(({ delivery, user_id }, terms) =>
          sql.withTransaction(Effect.tap(
            enlist(delivery.id, { organization_id: delivery.organization_id, user_id }, terms),
            ({ task_id }) => repo.reopen(delivery.id, task_id)
          ))
        )
      })
    })
  )
}

interface Owner {
  readonly organization_id: OrganizationId
  readonly user_id: UserId
}

const submissionOf = (delivery_id: WebhookDeliveryId, { organization_id, user_id }: Owner, terms: Terms): Submission => ({
  kind: WebhookDelivery.kind,
  prefix: "webhook-delivery",
  organization_id,
  user_id,
  payload: JSON.stringify({ delivery_id }),
  private_input: null,
  policy: WebhookDelivery.policy,
  ...terms
})

/** How messages to an endpoint are tried, and how many of them at a time. */
export const termsOf = ({ endpoint, hold = 0 }: StoredEndpoint): Required<Pick<Terms, "policy" | "limit" | "delay">> => {
  const { max_running, per_second } = endpoint.rate_limit
  const policy: TaskPolicy = { ...WebhookDelivery.policy, retry: { ...WebhookDelivery.policy.retry, max_retries: endpoint.max_retries } }
  return {
    policy,
    limit: max_running === null && per_second === null
      ? null
      : { key: `webhook:${endpoint.id}`, max_running, interval: per_second === null ? null : Math.max(1, Math.round(1_000 / per_second)) },
    delay: hold
  }
}

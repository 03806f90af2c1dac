/** Connections to n8n for people: administrators of an organization see and change its own; to others there are none. */
import { N8nConnectionId, type OrganizationId } from "@englog/domain/Ids"
import type { N8nConnection, N8nSecret } from "@englog/domain/n8n/N8nConnection"
import type { CurrentUser } from "@englog/rpc/http/Authorization"
import { BadRequest, Conflict, Forbidden, NotFound } from "@englog/rpc/http/HttpErrors"
import { MAX_CONNECTIONS, type N8nAuthPayload, type N8nConnectionPage, type N8nConnectionPayload, type N8nConnectionsQuery } from "@englog/rpc/http/N8nApi"
import { defaultPageSize } from "@englog/rpc/http/Page"
import { Context, Effect, Layer, Option } from "effect"
import type { SqlError } from "effect/sql/SqlError"
import { randomUUID } from "node:crypto"
import { decodeCursor, toPage } from "../http/Cursor.ts"
import { N8nRepo, type StoredConnection } from "./N8nRepo.ts"
import { keyProblem } from "./N8nToken.ts"

type Caller = CurrentUser["Service"]

export class N8nConnections extends Context.Service<N8nConnections, {
  readonly create: (caller: Caller, payload: N8nConnectionPayload) => Effect.Effect<N8nConnection, BadRequest | Conflict | Forbidden | SqlError>
  readonly list: (caller: Caller, query: N8nConnectionsQuery) => Effect.Effect<typeof N8nConnectionPage.Type, BadRequest | Forbidden | SqlError>
  readonly get: (caller: Caller, id: N8nConnectionId) => Effect.Effect<N8nConnection, NotFound | SqlError>
  readonly update: (
    caller: Caller,
    id: N8nConnectionId,
    payload: N8nConnectionPayload
  ) => Effect.Effect<N8nConnection, BadRequest | Conflict | NotFound | SqlError>
  readonly remove: (caller: Caller, id: N8nConnectionId) => Effect.Effect<void, NotFound | SqlError>
}>()("@englog/api/n8n/N8nConnections") {
  static readonly layer = Layer.effect(
    N8nConnections,
    Effect.gen(function*() {
      const repo = yield* N8nRepo

      const administers = (caller: Caller, organization: OrganizationId) =>
        caller.organization_id === organization ? Effect.succeed(true) : repo.isAdministrator(caller.id, organization)

      const organizationOf = Effect.fnUntraced(function*(caller: Caller, named: OrganizationId | undefined) {
        const organization = named ?? caller.organization_id
        if (yield* administers(caller, organization)) return organization
        return yield* new Forbidden({ error: "organization_id: you are no administrator of it" })
      })

      const find = Effect.fnUntraced(function*(caller: Caller, id: N8nConnectionId) {
        const found = yield* repo.find(id)
        if (Option.isSome(found) && (yield* administers(caller, found.value.connection.organization_id))) return found.value
        return yield* missing(id)
      })

      /** What may be written, or why not. Two who name the same sync type at once: the database lets one of them. */
      const written = Effect.fnUntraced(function*(
        id: N8nConnectionId,
        organization_id: OrganizationId,
        { auth, base_url, name, sync_types, timeout }: N8nConnectionPayload,
        before: Option.Option<StoredConnection>
      ) {
        const secret = secretOf(auth, Option.map(before, (stored) => stored.secret))
        if (typeof secret === "string") return yield* new BadRequest({ error: secret })
        const problem = secret.type === "jwt" ? yield* keyProblem(secret) : undefined
        if (problem !== undefined) return yield* new BadRequest({ error: `auth.key: ${problem}` })
        const taken = yield* repo.taken(organization_id, sync_types.map(({ sync_type }) => sync_type), id)
        if (taken.length > 0) return yield* new Conflict({ error: `sync_types: another connection of the organization takes ${taken.join(", ")}` })
        return { id, organization_id, name, base_url, sync_types, timeout, secret }
      })

      const orTaken = <A>(write: Effect.Effect<A, SqlError>) =>
        Effect.catchIf(write, ({ reason }) => reason._tag === "UniqueViolation", () =>
          new Conflict({ error: "sync_types: another connection of the organization has just taken one of them" }))

      return N8nConnections.of({
        create: Effect.fn("N8nConnections.create")(function*(caller, payload) {
          const organization = yield* organizationOf(caller, payload.organization_id)
          if ((yield* repo.count(organization)) >= MAX_CONNECTIONS) {
            return yield* new Conflict({ error: `this organization has ${MAX_CONNECTIONS} connections already; delete one first` })
          }
          const id = N8nConnectionId.make(randomUUID())
          yield* orTaken(repo.insert(yield* written(id, organization, payload, Option.none())))
          return yield* Effect.orDie(Effect.map(find(caller, id), ({ connection }) => connection))
        }),
        list: Effect.fn("N8nConnections.list")(function*(caller, { cursor, limit = defaultPageSize, organization_id }) {
          const organization = yield* organizationOf(caller, organization_id)
          const after = cursor === undefined ? Option.none() : Option.some(yield* decodeCursor(cursor))
          const { next_cursor, rows } = toPage(yield* repo.list(organization, after, limit + 1), limit)
          return { items: rows.map(({ connection }) => connection), next_cursor }
        }),
        get: Effect.fn("N8nConnections.get")((caller, id) => Effect.map(find(caller, id), ({ connection }) => connection)),
        update: Effect.fn("N8nConnections.update")(function*(caller, id, payload) {
          const before = yield* find(caller, id)
          const { organization_id } = before.connection
          if (payload.organization_id !== undefined && payload.organization_id !== organization_id) {
            return yield* new BadRequest({ error: "organization_id: a connection stays where it is" })
          }
          const replaced = yield* orTaken(repo.replace(yield* written(id, organization_id, payload, Option.some(before))))
          return replaced ? (yield* find(caller, id)).connection : yield* missing(id)
        }),
        remove: Effect.fn("N8nConnections.remove")(function*(caller, id) {
          yield* find(caller, id)
          if (!(yield* repo.remove(id))) return yield* missing(id)
        })
      })
    })
  )
}

const missing = (id: N8nConnectionId) => new NotFound({ error: `you have no connection ${id}` })

/** What is left out is what it was, where it was of the same type; else the sentence that names what is missing. */
const secretOf = (auth: N8nAuthPayload, before: Option.Option<N8nSecret>): N8nSecret | string => {
  const known = Option.getOrUndefined(before)
  switch (auth.type) {
    case "none":
      return auth
    case "basic": {
      const password = auth.password ?? (known?.type === "basic" ? known.password : undefined)
      return password === undefined ? "auth.password: must be given" : { ...auth, password }
    }
    case "header": {
      const value = auth.value ?? (known?.type === "header" ? known.value : undefined)
      return value === undefined ? "auth.value: must be given" : { ...auth, value }
    }
    case "jwt": {
      const key = auth.key ?? (known?.type === "jwt" ? known.key : undefined)
      return key === undefined ? "auth.key: must be given" : { ...auth, key }
    }
  }
}

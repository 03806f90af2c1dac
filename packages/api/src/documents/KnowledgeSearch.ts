/**
 * Hybrid search: by words and by vectors, each ranking by itself, joined by reciprocal rank fusion. A query's vector comes from
 * the model that the chunks' are of: the built-in one here, another one by a worker, who has a few seconds for it.
 */
import { FoundChunk } from "@englog/domain/documents/Document"
import type { OrganizationId, TaskId } from "@englog/domain/Ids"
import { LEXICAL_MODEL, lexicalEmbedding } from "@englog/domain/search/LexicalEmbedding"
import { fuse } from "@englog/domain/search/RankFusion"
import { wordsOf } from "@englog/domain/search/Words"
import { QueryEmbedding } from "@englog/domain/tasks/QueryEmbedding"
import type { CurrentUser } from "@englog/rpc/http/Authorization"
import type { SearchAnswer, SearchRequest } from "@englog/rpc/http/DocumentRequest"
import type { Forbidden } from "@englog/rpc/http/HttpErrors"
import { Context, Effect, Layer, Option, Schema, Stream } from "effect"
import type { SqlError } from "effect/sql/SqlError"
import { EventFeed } from "../queue/EventFeed.ts"
import { TaskQueue } from "../queue/TaskQueue.ts"
import { TaskRepo } from "../queue/TaskRepo.ts"
import { TaskAccess } from "../tasks/TaskAccess.ts"
import { ChunkRepo, type ModelUse } from "./ChunkRepo.ts"
import { ChunkSearchRepo, type Ranked, type Scope } from "./ChunkSearchRepo.ts"
import { KnowledgeKeyRepo } from "./KnowledgeKeyRepo.ts"

type Caller = CurrentUser["Service"]

/** A query as one model sees it, or why it is not to be had. */
type QueryVector =
  | { readonly _tag: "Vector"; readonly use: ModelUse; readonly vector: ReadonlyArray<number> }
  | { readonly _tag: "Problem"; readonly problem: string }

export class KnowledgeSearch extends Context.Service<KnowledgeSearch, {
  readonly search: (caller: Caller, request: SearchRequest) => Effect.Effect<SearchAnswer, Forbidden | SqlError>
}>()("@englog/api/documents/KnowledgeSearch") {
  static readonly layer = Layer.effect(KnowledgeSearch, Effect.suspend(() => make))
}

const make = Effect.gen(function*() {
  const access = yield* TaskAccess
  const queue = yield* TaskQueue
  const tasks = yield* TaskRepo
  const feed = yield* EventFeed
  const keys = yield* KnowledgeKeyRepo
  const chunks = yield* ChunkRepo
  const found = yield* ChunkSearchRepo

  const resultOf = Effect.fnUntraced(function*(task_id: TaskId) {
    yield* Stream.runDrain(feed.follow(task_id, 0))
    const task = yield* tasks.find(task_id)
    if (Option.isNone(task) || task.value.result === null) return Option.none()
    return yield* Effect.option(decodeVector(task.value.result))
  })

  /** By a worker: whatever its model is. */
  const asked = Effect.fn("KnowledgeSearch.asked")(function*(caller: Caller, organization_id: OrganizationId, query: string) {
    return yield* queue.submit({
      kind: QueryEmbedding.kind,
      prefix: "query-embedding",
      organization_id,
      user_id: caller.id,
      payload: "{}",
      private_input: query,
      policy: QueryEmbedding.policy
    }).pipe(
      Effect.flatMap(resultOf),
      Effect.timeoutOption(PATIENCE),
      Effect.map(Option.flatten),
      // Too much waits, or the database is away: then the words have to do.
      Effect.catchTags({ QueueFull: () => Effect.succeedNone, DependencyProblem: Effect.die })
    )
  })

  const vectorsOf = Effect.fnUntraced(function*(caller: Caller, organization_id: OrganizationId, query: string) {
    const models = yield* chunks.models(organization_id)
    const others = models.filter(({ model }) => model !== LEXICAL_MODEL)
    const answer = others.length === 0 ? Option.none() : yield* asked(caller, organization_id, query)
    return models.map((use): QueryVector => {
      if (use.model === LEXICAL_MODEL) return { _tag: "Vector", use, vector: lexicalEmbedding(query) }
      if (Option.isNone(answer)) return { _tag: "Problem", problem: `no worker gave a vector of ${use.model} in time` }
      const { model, vector } = answer.value
      return model === use.model && vector.length === use.dimension
        ? { _tag: "Vector", use, vector }
        : { _tag: "Problem", problem: `documents have vectors of ${use.model}, the workers use ${model} now; process those documents anew` }
    })
  })

  return KnowledgeSearch.of({
    search: Effect.fn("KnowledgeSearch.search")(function*(caller, { document_ids, limit = 10, organization_id, query }) {
      const organization = yield* access.organization(caller, organization_id)
      const scope: Scope = { organization_id: organization, secret: yield* keys.secretOf(organization), documents: document_ids }
      const depth = limit * 3 + 20
      const vectors = yield* vectorsOf(caller, organization, query)
      const withWords = yield* found.byWords(scope, wordsOf(query).slice(0, MAX_WORDS), Math.max(depth, REORDERED))
      const byWords = withWords.slice(0, depth)
      const problems = vectors.flatMap((one) => one._tag === "Problem" ? [one.problem] : [])
      const byVector = yield* Effect.forEach(vectors, Effect.fnUntraced(function*(one) {
        if (one._tag === "Problem") return []
        const all = yield* found.comparable(scope, one.use)
        if (!all) problems.push(tooMany)
        return near(one.use)(yield* found.byVector(scope, one.use, one.vector, depth, all ? undefined : withWords.map(({ id }) => id)))
      }))
      return {
        items: yield* itemsOf(byWords, byVector, limit),
        models: vectors.flatMap((one) => one._tag === "Vector" ? [one.use.model] : []),
        vector_problem: problems.length === 0 ? null : problems.join("; ")
      }
    })
  })

  function itemsOf(byWords: ReadonlyArray<Ranked>, byVector: ReadonlyArray<ReadonlyArray<Ranked>>, limit: number) {
    return Effect.gen(function*() {
      const ids = new Map([...byWords, ...byVector.flat()].map(({ id }) => [String(id), id]))
      const best = fuse([byWords, ...byVector].map((ranking) => ranking.map(({ id }) => id))).slice(0, limit)
      const opened = yield* found.open(best.flatMap(({ id }) => ids.get(id) ?? []))
      const [words, near] = [new Set(byWords.map(({ id }) => id)), new Set(byVector.flat().map(({ id }) => id))]
      return best.flatMap(({ id, score }) =>
        opened.filter((chunk) => chunk.id === id).map((chunk) =>
          new FoundChunk({
            chunk_id: chunk.id,
            document_id: chunk.document_id,
            title: chunk.title,
            heading_path: chunk.heading_path,
            position: chunk.place,
            start: chunk.start_at,
            end: chunk.end_at,
            text: chunk.content,
            score,
            found_by: [...(words.has(chunk.id) ? ["words" as const] : []), ...(near.has(chunk.id) ? ["vector" as const] : [])]
          })))
    })
  }
})

/** Words of a query that count. */
const MAX_WORDS = 64

/** Chunks with words of the query whose vectors are compared, where all would be too many. */
const REORDERED = 500

const tooMany = `there are too many vectors to compare all of them without pgvector; those of ${REORDERED} chunks with words of the query were`

/** For a worker to make the query's vector. */
const PATIENCE = "5 seconds"

/** Lexical vectors of texts that have nothing in common are not quite at right angles. */
const LEXICAL_NOISE = 0.12

const near = ({ model }: ModelUse) => (ranked: ReadonlyArray<Ranked>): ReadonlyArray<Ranked> =>
  model === LEXICAL_MODEL ? ranked.filter(({ score }) => score > LEXICAL_NOISE) : ranked

const decodeVector = Schema.decodeEffect(Schema.fromJsonString(QueryEmbedding.result))

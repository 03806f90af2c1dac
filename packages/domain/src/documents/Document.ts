/**
 * A document of an organization: text that was handed in once or several times under one name, and is kept in chunks that can
 * be searched. What a search finds, it cites by chunk, headings and offsets.
 */
import { Schema } from "effect"
import { ChunkId, DocumentKey, OrganizationId, TaskId } from "../Ids.ts"
import { PublicTaskState } from "../tasks/TaskState.ts"

export const DocumentFormat = Schema.Literals(["text", "markdown", "html", "pdf"])
export type DocumentFormat = typeof DocumentFormat.Type

export class KnowledgeDocument extends Schema.Class<KnowledgeDocument>("KnowledgeDocument")({
  /** As its submitter calls it; unique in its organization. */
  document_id: Schema.String,
  key: DocumentKey,
  organization_id: OrganizationId,
  title: Schema.NullOr(Schema.String),
  format: DocumentFormat,
  chunk_size: Schema.Int,
  overlap: Schema.Int,
  /** Counts submissions, from 1. */
  revision: Schema.Int,
  /** Which of them is the one that is searched; null before the first was processed. */
  searched_revision: Schema.NullOr(Schema.Int),
  /** Of the newest submission's task. */
  status: PublicTaskState,
  /** Null where its record is no longer kept. */
  task_id: Schema.NullOr(TaskId),
  /** Of the revision that is searched. */
  chunks: Schema.Int,
  words: Schema.Int,
  characters: Schema.Int,
  /** The model that its vectors are of; null before it was processed. */
  model: Schema.NullOr(Schema.String),
  created_at: Schema.DateTimeUtcFromString,
  updated_at: Schema.DateTimeUtcFromString,
  processed_at: Schema.NullOr(Schema.DateTimeUtcFromString)
}) {}

/** One chunk that a search found. */
export class FoundChunk extends Schema.Class<FoundChunk>("FoundChunk")({
  chunk_id: ChunkId,
  document_id: Schema.String,
  title: Schema.NullOr(Schema.String),
  /** The headings that it stands under, the outermost first. */
  heading_path: Schema.Array(Schema.String),
  /** From 0, in the order of the document. */
  position: Schema.Int,
  /** UTF-16 units in the document's text as it was extracted; `text` is what stands there. */
  start: Schema.Int,
  end: Schema.Int,
  text: Schema.String,
  /** Reciprocal rank fusion: good for comparison within one answer. */
  score: Schema.Finite,
  /** Which of the two searches found it. */
  found_by: Schema.Array(Schema.Literals(["words", "vector"]))
}) {}

/** One running story for the examples of documents in the OpenAPI document. */
import * as Tasks from "./TaskExamples.ts"

const user_id = "dd72f29f-a51b-4a2d-add8-496537c8e078"
const task_id = `document-processing_${user_id}_1754042400_01987e2f5a4c00005f21c1df3a33d005`

export const request = {
  document_id: "doc_123",
  content: "# Rotating keys\n\nA key is rotated by putting a new one first in the ring. Older keys still decrypt.",
  chunk_size: 1000,
  priority: "normal"
}

export const upload = {
  upload_id: "5a0d1c6e-3f0b-4f7d-9a51-0c3f2b7d8e90",
  organization_id: Tasks.task.organization_id,
  format: "markdown",
  bytes: 98,
  complete: true,
  created_at: "2025-08-01T10:00:00.000Z",
  expires_at: "2025-08-02T10:00:00.000Z"
}

export const accepted = { task_id, message: "Task queued successfully" }

export const bulkRequest = { documents: [{ document_id: "doc_124", content: "Backups are taken at 02:00." }], priority: "low" }

export const bulkAccepted = {
  task_id: `document-batch_${user_id}_1754042400_01987e2f5a4c00005f21c1df3a33d006`,
  items: [{ document_id: "doc_124", task_id }],
  message: "1 document queued successfully"
}

export const document = {
  document_id: "doc_123",
  key: "3c5f0a9e-8a63-4c5e-9f1d-5c2e1f0d9b11",
  organization_id: Tasks.task.organization_id,
  title: "Rotating keys",
  format: "markdown",
  chunk_size: 1000,
  overlap: 100,
  revision: 1,
  searched_revision: 1,
  status: "completed",
  task_id,
  chunks: 1,
  words: 19,
  characters: 98,
  model: "builtin-lexical-1",
  created_at: "2025-08-01T10:00:00.000Z",
  updated_at: "2025-08-01T10:00:00.000Z",
  processed_at: "2025-08-01T10:00:01.000Z"
}

export const search = { query: "how do I rotate a key?", limit: 5 }

export const found = {
  items: [{
    chunk_id: "7d1c0b7e-2f8b-8c55-9a3e-0b6f4f1c2d3e",
    document_id: "doc_123",
    title: "Rotating keys",
    heading_path: ["Rotating keys"],
    position: 0,
    start: 0,
    end: 98,
    text: request.content,
    score: 0.0328,
    found_by: ["words", "vector"]
  }],
  models: ["builtin-lexical-1"],
  vector_problem: null
}

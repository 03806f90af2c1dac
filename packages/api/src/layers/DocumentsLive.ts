/** Documents and the search in them. */
import { Layer } from "effect"
import { BatchRepo } from "../documents/BatchRepo.ts"
import { ChunkRepo } from "../documents/ChunkRepo.ts"
import { ChunkSearchRepo } from "../documents/ChunkSearchRepo.ts"
import { DocumentOutcomesLive } from "../documents/DocumentOutcomes.ts"
import { DocumentRepo } from "../documents/DocumentRepo.ts"
import { Documents } from "../documents/Documents.ts"
import { DocumentUploads } from "../documents/DocumentUploads.ts"
import { KnowledgeKeyRepo } from "../documents/KnowledgeKeyRepo.ts"
import { KnowledgeSearch } from "../documents/KnowledgeSearch.ts"
import { UploadRepo } from "../documents/UploadRepo.ts"
import { VectorIndexRepo } from "../documents/VectorIndexRepo.ts"

export const DocumentsLive = Layer.mergeAll(Documents.layer, DocumentUploads.layer, KnowledgeSearch.layer, DocumentOutcomesLive).pipe(
  Layer.provide([UploadRepo.layer, DocumentRepo.layer, ChunkRepo.layer, BatchRepo.layer, ChunkSearchRepo.layer]),
  Layer.provide([KnowledgeKeyRepo.layer, VectorIndexRepo.layer])
)

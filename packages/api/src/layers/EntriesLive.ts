/** Entries and the projects that they belong to. */
import { Layer } from "effect"
import { Entries } from "../entries/Entries.ts"
import { EntryChanges } from "../entries/EntryChanges.ts"
import { EntryRepo } from "../entries/EntryRepo.ts"
import { EntryWordIndex, renewWordsOnStart } from "../entries/EntryWordIndex.ts"
import { ProjectRepo } from "../projects/ProjectRepo.ts"
import { Projects } from "../projects/Projects.ts"

export const EntriesLive = Layer.mergeAll(Entries.layer, Layer.provide(renewWordsOnStart, EntryWordIndex.layer)).pipe(
  Layer.provideMerge(EntryChanges.layer),
  Layer.provideMerge(Projects.layer),
  Layer.provideMerge(Layer.mergeAll(EntryRepo.layer, ProjectRepo.layer))
)

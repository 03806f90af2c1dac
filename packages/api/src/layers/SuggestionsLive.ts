/** Types and tags that are suggested for entries. */
import { Layer } from "effect"
import { SuggestionOutcomeLive } from "../suggestions/SuggestionOutcome.ts"
import { SuggestionRepo } from "../suggestions/SuggestionRepo.ts"
import { Suggestions } from "../suggestions/Suggestions.ts"
import { TagRepo } from "../tags/TagRepo.ts"

export const SuggestionsLive = Layer.mergeAll(Suggestions.layer, SuggestionOutcomeLive).pipe(Layer.provide([SuggestionRepo.layer, TagRepo.layer]))

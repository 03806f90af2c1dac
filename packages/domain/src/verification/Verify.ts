/** Puts the parts of a verification together and judges the whole; see Verdict. */
import type { DateTime } from "effect"
import type { InsightId } from "../Ids.ts"
import { type FactVerificationInput, verifyFacts } from "./FactVerification.ts"
import { type TextVerificationInput, verifyText } from "./TextVerification.ts"
import { type RecordChange, type Verdict, Verification, type VerifiedFact, type VerifiedSentence } from "./Verification.ts"

export interface VerifyInput extends FactVerificationInput, TextVerificationInput {
  readonly insight_id: InsightId
  readonly at: DateTime.Utc
}

export const verify = (input: VerifyInput): Verification => {
  const facts = verifyFacts(input)
  const sentences = verifyText(input)
  const different = facts.filter(({ status }) => status !== "unchanged")
  return new Verification({
    insight_id: input.insight_id,
    verdict: verdictOf(different, sentences, input.changes),
    verified_at: input.at,
    facts_unchanged: facts.length - different.length,
    facts: [...different, ...facts.filter(({ status }) => status === "unchanged")],
    changes: input.changes,
    sentences
  })
}

const verdictOf = (
  different: ReadonlyArray<VerifiedFact>,
  sentences: ReadonlyArray<VerifiedSentence>,
  changes: ReadonlyArray<RecordChange>
): Verdict => {
  // A quoted figure that is gone may have gone with the words of an entry; where no entry changed, it never stood there.
  const baseless = sentences.some(({ as_checked, figures }) => !as_checked || (changes.length === 0 && figures.some(({ resolves }) => !resolves)))
  if (baseless || different.some(({ why }) => why.length === 0)) return "inconsistent"
  if (sentences.some(({ resolves }) => !resolves)) return "outdated"
  return changes.length > 0 ? "holds" : "verified"
}

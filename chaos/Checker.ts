/** All rules, over the evidence of one run. Pure: the same evidence, the same verdict. */
import { attemptsRunOnce, childrenAfterParents, leasesDoNotOverlap, rescuedFromTheLost } from "./checks/AttemptChecks.ts"
import { historyWhole, subscribersSawAll } from "./checks/HistoryChecks.ts"
import * as Record from "./checks/RecordChecks.ts"
import type { Check, Violation } from "./checks/Violation.ts"
import type { Evidence } from "./Evidence.ts"

/** A process that ends by itself is a bug, whatever was done to it. */
const nobodyGaveUp: Check = ({ accidents }) => accidents.map((what) => ({ rule: "nobody_gives_up", task: "", what }))

/** Whatever fails meanwhile, a client is told that it passes (503), never that the server has a bug. */
const noBlunders: Check = ({ blunders }) =>
  blunders.map(({ answer, asked }) => ({ rule: "no_internal_errors", task: "", what: `${asked} was answered ${answer}` }))

const rules: ReadonlyArray<Check> = [
  Record.acknowledgedExist,
  Record.uniqueKeysHold,
  Record.oneTerminalRecord,
  Record.highestAttemptDecides,
  Record.endedInTime,
  Record.attemptsBounded,
  Record.resultOfItsAttempt,
  Record.effectsOnce,
  Record.cancelOrFinish,
  leasesDoNotOverlap,
  rescuedFromTheLost,
  attemptsRunOnce,
  childrenAfterParents,
  historyWhole,
  subscribersSawAll,
  noBlunders,
  nobodyGaveUp
]

export const check = (evidence: Evidence): ReadonlyArray<Violation> => rules.flatMap((rule) => rule(evidence))

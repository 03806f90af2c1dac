/** Reciprocal rank fusion (Cormack, Clarke, Büttcher 2009): what several rankings place well comes first, whatever their scores. */

/** The paper's constant. */
const K = 60

export interface Fused {
  readonly id: string
  readonly score: number
}

/** Best first; each ranking holds an id at most once. Equal scores: in the order of the ids. */
export const fuse = (rankings: ReadonlyArray<ReadonlyArray<string>>): ReadonlyArray<Fused> => {
  const scores = new Map<string, number>()
  for (const ranking of rankings) {
    for (const [index, id] of ranking.entries()) scores.set(id, (scores.get(id) ?? 0) + 1 / (K + index + 1))
  }
  return [...scores].map(([id, score]) => ({ id, score })).sort((a, b) => b.score - a.score || (a.id < b.id ? -1 : 1))
}

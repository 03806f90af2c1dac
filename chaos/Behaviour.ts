/** What a handler does with a task: how long it works, what it says, and whether it fails. */
import { Schema } from "effect"
import { make, type SeededRandom } from "./SeededRandom.ts"

export const Behaviour = Schema.Struct({
  /** Of work, in milliseconds. */
  ms: Schema.Int,
  /** Reports of progress on the way. */
  steps: Schema.Int,
  /** The first attempts that fail. */
  failures: Schema.Int
})
export type Behaviour = typeof Behaviour.Type

/** Mostly short, some long enough to outlive a rescue: only then a lost attempt and its successor both report. */
export const draw = (random: SeededRandom): Behaviour => {
  const size = random.next()
  const ms = size < 0.8 ? random.between(5, 250) : size < 0.95 ? random.between(250, 2_500) : random.between(7_000, 14_000)
  return {
    ms,
    steps: random.between(0, 3),
    failures: random.chance(0.06) ? random.between(1, 2) : random.chance(0.02) ? 100 : 0
  }
}

/** For kinds whose payload cannot say it. */
export const ofTask = (task_id: string): Behaviour => {
  let hash = 2_166_136_261
  for (const character of task_id) hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 16_777_619) >>> 0
  return draw(make(hash))
}

import { assert, describe, it } from "@effect/vitest"
import { gapsWithin, overlapsOf, type Span } from "@englog/domain/imports/Timeline"
import * as fc from "fast-check"

const MINUTE = 60_000
const minutes = (start: number, end: number): Span => ({ start: start * MINUTE, end: end * MINUTE })
const spans = fc.array(fc.record({ start: fc.integer({ min: 0, max: 600 }), length: fc.integer({ min: 1, max: 90 }) }), { maxLength: 25 })
  .map((all) => all.map(({ length, start }) => minutes(start, start + length)))
const covers = ({ end, start }: Span, at: number) => start <= at && at < end

describe("a timeline", () => {
  it("tells of each span every other one that shares some of its time, and how much", () => {
    fc.assert(fc.property(spans.filter(({ length }) => length <= 20), (all) => {
      const found = overlapsOf(all)
      for (const span of all) {
        const expected = all.filter((other) => other !== span).map((other) => Math.min(other.end, span.end) - Math.max(other.start, span.start)).filter((shared) => shared > 0)
        assert.sameMembers([...found.get(span) ?? []].map(({ shared }) => shared), expected)
      }
    }))
  })

  it("calls two that only touch no overlap, and tells twenty at most", () => {
    const [morning, noon] = [minutes(0, 60), minutes(60, 120)]
    assert.deepStrictEqual([...overlapsOf([morning, noon]).values()], [[], []])
    const crowd = Array.from({ length: 50 }, () => minutes(0, 60))
    assert.isTrue([...overlapsOf(crowd).values()].every(({ length }) => length === 20))
  })

  it("has its gaps exactly where nothing is, between the first and the last", () => {
    fc.assert(fc.property(spans, (all) => {
      const day = minutes(100, 500)
      const gaps = gapsWithin(day, all)
      const inside = all.filter(({ end, start }) => end > day.start && start < day.end)
      const [first, last] = [Math.min(...inside.map(({ start }) => Math.max(start, day.start))), Math.max(...inside.map(({ end }) => Math.min(end, day.end)))]
      for (let at = day.start; at < day.end; at += MINUTE) {
        const open = at >= first && at < last && !all.some((span) => covers(span, at))
        assert.strictEqual(gaps.some((gap) => covers(gap, at)), open, `at minute ${at / MINUTE}`)
      }
    }))
  })
})

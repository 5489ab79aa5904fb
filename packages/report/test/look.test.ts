import assert from 'node:assert/strict'
import { test } from 'node:test'
import { contrast, heat, luminance, textOn } from '../src/colour.ts'
import { edgeLine } from '../src/edge-line.ts'
import { Typesetter } from '../src/fonts/typesetter.ts'
import { nameSize, nodeBox } from '../src/node-box.ts'
import { theme } from '../src/theme.ts'
import { waitEdge, waitFill } from '../src/wait-groups.ts'
import { difference, KINDS, seen } from './colour-vision.ts'

const WAITS = ['sql', 'cache', 'document', 'http', 'file', 'dns', 'connect', 'process', 'threadpool', 'timer', 'lock', 'pool', 'worker'] as const

const SHARES = Array.from({ length: 1001 }, (_, at) => at / 1000)

test('text on every fill has a contrast of at least 4.5', () => {
  for (const share of SHARES) assert.ok(contrast(textOn(heat(share)), heat(share)) >= 4.5, `${share}: ${heat(share)}`)
  for (const [part, fill] of Object.entries(theme.bar)) assert.ok(contrast(textOn(fill), fill) >= 4.5, part)
  for (const kind of WAITS) for (const share of SHARES) assert.ok(contrast(textOn(waitFill(kind, share)), waitFill(kind, share)) >= 4.5, `${kind} ${share}`)
})

test('text on paper has a contrast of at least 4.5', () => {
  for (const colour of [theme.ink, theme.muted]) {
    for (const ground of [theme.paper, theme.shade]) assert.ok(contrast(colour, ground) >= 4.5, `${colour} on ${ground}`)
  }
})

test('a wait\'s edge is seen on paper and around its fill', () => {
  for (const kind of WAITS) {
    assert.ok(contrast(waitEdge(kind), theme.paper) >= 2.5, `${kind}: ${contrast(waitEdge(kind), theme.paper)}`)
    assert.ok(contrast(waitEdge(kind), waitFill(kind, 0.3)) >= 1.3, `${kind}: ${contrast(waitEdge(kind), waitFill(kind, 0.3))}`)
  }
})

test('a larger share of waiting is darker, also in grey', () => {
  for (const kind of WAITS) {
    SHARES.slice(1).forEach((share, at) => assert.ok(luminance(waitFill(kind, share)) <= luminance(waitFill(kind, SHARES[at] as number)) + 0.004))
    assert.ok(luminance(waitFill(kind, 0)) > luminance(waitFill(kind, 1)) + 0.1, kind)
  }
})

test('waits have another shape than functions, so that they are told apart in grey', async () => {
  const type = await Typesetter.for([])
  const node = { frame: 1, self: 1, total: 2, selfShare: 0.1, totalShare: 0.2, entry: 0, critical: false }
  const label = { name: 'query', location: 'place', versionedLocation: 'place', own: false }
  const wait = { kind: 'sql', target: '', statement: 'query', operations: 1, count: 1 } as const
  const [box, round] = [nodeBox(type, node, label), nodeBox(type, node, { ...label, wait })]
  assert.ok(round.radius >= 4 * box.radius && round.radius > round.height / 3, `${round.radius} of ${round.height}`)
})

test('a larger share of time is darker, also in grey', () => {
  SHARES.slice(1).forEach((share, at) => {
    // A colour's channels are whole numbers.
    assert.ok(luminance(heat(share)) <= luminance(heat(SHARES[at] as number)) + 0.004, String(share))
  })
  assert.ok(luminance(heat(0)) > luminance(heat(0.05)) + 0.1 && luminance(heat(0.05)) > luminance(heat(0.5)) + 0.1)
})

test('neighbours in the bar differ in grey', () => {
  const fills = Object.values(theme.bar)
  fills.slice(1).forEach((fill, at) => assert.ok(contrast(fill, fills[at] as string) > 1.2, `${fill} beside ${fills[at]}`))
})

for (const kind of Object.keys(KINDS)) {
  test(`a larger share of time is darker, with ${kind} vision`, () => {
    const shares = [0, 0.01, 0.05, 0.2, 0.5, 1]
    shares.slice(1).forEach((share, at) => {
      const [lighter, darker] = [seen(heat(shares[at] as number), kind)[0], seen(heat(share), kind)[0]]
      assert.ok(darker < lighter - 2, `${share}: ${darker}, ${shares[at]}: ${lighter}`)
    })
  })

  test(`the parts of the bar are told apart, whichever are neighbours, with ${kind} vision`, () => {
    const parts = Object.entries(theme.bar)
    parts.forEach(([part, fill], at) => parts.slice(at + 1).forEach(([other, colour]) => {
      assert.ok(difference(fill, colour, kind) > 9, `${part} and ${other}: ${difference(fill, colour, kind)}`)
    }))
  })

  test(`the critical path is told from other lines, and from the fills that it surrounds, with ${kind} vision`, async () => {
    const type = await Typesetter.for([])
    for (const share of SHARES.filter((_, at) => at % 50 === 0)) {
      const line = edgeLine(type, { share, residual: false, critical: false })
      assert.ok(difference(theme.critical, line.colour, kind) > 20, `line of ${share}: ${difference(theme.critical, line.colour, kind)}`)
      for (const fill of [heat(share), ...WAITS.map(wait => waitFill(wait, share))]) {
        assert.ok(difference(theme.critical, fill, kind) > 15, `fill of ${share}, ${fill}: ${difference(theme.critical, fill, kind)}`)
      }
    }
  })
}

test('the critical path is wider than any other line of the same share', async () => {
  const type = await Typesetter.for([])
  for (const share of [0, 0.1, 1]) {
    const [usual, critical] = [false, true].map(critical => edgeLine(type, { share, residual: false, critical }).stroke) as [number, number]
    assert.ok(critical >= usual + 1.2)
  }
})

test('names are larger the more self time there is, from 6 points', () => {
  assert.ok(nameSize(0) >= 6 && nameSize(0.01) > nameSize(0) && nameSize(0.1) > nameSize(0.01) && nameSize(1) > nameSize(0.1))
})

test('no text is smaller than 6 points', () => {
  for (const [what, size] of Object.entries(theme.text)) assert.ok(size >= 6, what)
})

test('contrast is WCAG\'s', () => {
  assert.equal(contrast('#000000', '#ffffff'), 21)
  assert.ok(Math.abs(contrast('#777777', '#ffffff') - 4.48) < 0.01)
})

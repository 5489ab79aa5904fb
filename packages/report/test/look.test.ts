import assert from 'node:assert/strict'
import { test } from 'node:test'
import { contrast, heat, luminance, textOn } from '../src/colour.ts'
import { theme } from '../src/theme.ts'

const SHARES = Array.from({ length: 1001 }, (_, at) => at / 1000)

test('text on every fill has a contrast of at least 4.5', () => {
  for (const share of SHARES) assert.ok(contrast(textOn(heat(share)), heat(share)) >= 4.5, `${share}: ${heat(share)}`)
  for (const [part, fill] of Object.entries(theme.bar)) assert.ok(contrast(textOn(fill), fill) >= 4.5, part)
})

test('text on paper has a contrast of at least 4.5', () => {
  for (const colour of [theme.ink, theme.muted]) {
    for (const ground of [theme.paper, theme.shade]) assert.ok(contrast(colour, ground) >= 4.5, `${colour} on ${ground}`)
  }
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

test('no text is smaller than 6 points', () => {
  for (const [what, size] of Object.entries(theme.text)) assert.ok(size >= 6, what)
})

test('contrast is WCAG\'s', () => {
  assert.equal(contrast('#000000', '#ffffff'), 21)
  assert.ok(Math.abs(contrast('#777777', '#ffffff') - 4.48) < 0.01)
})

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { formatBytes, formatCount, formatMoment, formatShare, formatShortShare, formatTime, plural } from '../src/numbers.ts'
import { clean, elide, wrap, wrapWithin } from '../src/text.ts'

/** Every character is one point wide. */
const measure = (text: string) => Array.from(text).length

test('clean leaves one line of well-formed text without control characters', () => {
  assert.equal(clean(' a\n\tb '), 'a b')
  assert.equal(clean('a\0b\x1b\x7f\x85'), 'a\uFFFDb\uFFFD\uFFFD\uFFFD')
  assert.equal(clean('\uD800x\uDC00'), '\uFFFDx\uFFFD')
  assert.equal(clean('\u202Eevil\u2066'), '\uFFFDevil\uFFFD')
  assert.equal(clean('été 中文 👍'), 'été 中文 👍')
  assert.equal(clean('e\u0301'), 'é')
  assert.equal(clean('👩\u200d👩'), '👩\u200d👩')
  assert.equal(clean('a\u200db\u200c'), 'a\uFFFDb\uFFFD')
  assert.equal(clean('می\u200cخواهم'), 'می\u200cخواهم')
  assert.ok(clean('x'.repeat(10_000_000)).length < 1000)
})

test('elide keeps both ends', () => {
  assert.equal(elide('includeCallArguments', 20, measure), 'includeCallArguments')
  assert.equal(elide('includeCallArguments', 9, measure), 'incl…ents')
  assert.equal(elide('package/folder/file.js:12', 13, measure, 0.75), 'pac…ile.js:12')
  for (let width = 1; width < 30; width++) assert.ok(measure(elide('abcdefghij klmnopqrst', width, measure)) <= width, String(width))
})

test('elide doesn\'t tear letters from their accents', () => {
  const text = elide('x\u0301'.repeat(30), 20, measure)
  assert.match(text, /^(?:x\u0301)+…(?:x\u0301)+$/)
})

test('wrapWithin leaves out the middle, keeps both ends, and no more lines than there may be', () => {
  assert.deepEqual(wrapWithin('one two three', 7, 2, measure), ['one two', 'three'])
  assert.deepEqual(wrapWithin('one two three four', 7, Infinity, measure), ['one two', 'three', 'four'])
  for (const text of ['select a, b, c from somewhere where it = $1 order by name', 'x'.repeat(500), 'aaaa '.repeat(90)]) {
    for (let width = 6; width < 40; width++) {
      for (let most = 1; most <= 4; most++) {
        const lines = wrapWithin(text, width, most, measure)
        assert.ok(lines.length <= most && lines.every(line => measure(line) <= width), `${width}: ${lines.join('|')}`)
        const whole = lines.join(' ')
        assert.ok(whole.includes('…') || whole.replaceAll(' ', '') === text.replaceAll(' ', ''))
        assert.ok(whole.startsWith(text[0] as string) && whole.endsWith(text.trim().at(-1) as string), whole)
      }
    }
  }
})

test('wrap breaks at spaces, and words that are too long anywhere', () => {
  assert.deepEqual(wrap('one two three', 7, measure), ['one two', 'three'])
  assert.deepEqual(wrap('abcdefghij kl', 4, measure), ['abcd', 'efgh', 'ij', 'kl'])
  assert.deepEqual(wrap('checkFunctionOrMethodDeclaration', 18, measure), ['checkFunctionOr', 'MethodDeclaration'])
  assert.deepEqual(wrap('a.bcdefghij', 6, measure), ['a.bcde', 'fghij'])
  assert.deepEqual(wrap('', 4, measure), [])
  assert.deepEqual(wrap('ab', 0, measure), ['a', 'b'])
})

describe('numbers', () => {
  const cases: Array<[string, string, string]> = [
    ['0 µs', formatTime(0), '0 ms'],
    ['0.3 µs', formatTime(0.3), '<0.001 ms'],
    ['4 µs', formatTime(4), '0.004 ms'],
    ['420 µs', formatTime(420), '0.42 ms'],
    ['9.994 ms', formatTime(9994), '9.99 ms'],
    ['9.996 ms', formatTime(9996), '10.0 ms'],
    ['37.14 ms', formatTime(37_140), '37.1 ms'],
    ['999.4 ms', formatTime(999_400), '999 ms'],
    ['999.6 ms', formatTime(999_600), '1.00 s'],
    ['12.34 s', formatTime(12_340_000), '12.3 s'],
    ['125 s', formatTime(125_000_000), '2 min 5 s'],
    ['2 h', formatTime(7_260_000_000), '2 h 1 min'],
    ['a share of 0', formatShare(0), '0%'],
    ['a share of 0.0004', formatShare(0.0004), '<0.1%'],
    ['a share of 0.573', formatShare(0.573), '57.3%'],
    ['a share of 1', formatShare(1), '100%'],
    ['short, 0.573', formatShortShare(0.573), '57%'],
    ['short, 0.04', formatShortShare(0.04), '4.0%'],
    ['short, 0.0996', formatShortShare(0.0996), '10%'],
    ['bytes', formatBytes(999), '999 B'],
    ['kilobytes', formatBytes(45_678), '45.7 kB'],
    ['megabytes', formatBytes(3_400_000), '3.40 MB'],
    ['a count', formatCount(2471), '2,471'],
    ['one', plural(1, 'call'), '1 call'],
    ['none', plural(0, 'call'), '0 calls'],
    ['a moment', formatMoment(0), '1970-01-01 00:00:00 UTC'],
    ['no moment', formatMoment(1e300), 'unknown']
  ]
  for (const [what, actual, expected] of cases) test(what, () => assert.equal(actual, expected))
})

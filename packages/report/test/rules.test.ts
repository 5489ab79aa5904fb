import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import type { Profile } from '@geordi/profile'
import { contrast } from '../src/colour.ts'
import { fillOptions } from '../src/options.ts'
import { drawReport } from '../src/pages/report.ts'
import { prepare } from '../src/prepare.ts'
import { FULL_RUN, profileOf, randomNumbers, tangledProfile, type TestSample } from './profile-builder.ts'
import { waitingProfile } from './waiting-profile.ts'
import { type DrawnPage, overlaps, RecordingCanvas } from './recording-canvas.ts'
import { repeat, RunBuilder } from './run-builder.ts'

/** A function with many callees, of all lengths of name and shares of time. */
function fan (): Profile {
  const random = randomNumbers(9)
  return profileOf(Array.from({ length: 150 }, (_, at): TestSample => [
    ['main', `caller${at % 7}`, `${'callee'.repeat(1 + random(9))}${at}`], 10 ** (2 + random(4))
  ]), FULL_RUN)
}

/** So many functions, each called by the one before. */
function chain (length: number): Profile {
  const names = Array.from({ length }, (_, at) => `step${at}`)
  return profileOf(names.map((_, at) => [names.slice(0, at + 1), 1000]), { ...FULL_RUN, ended: 'the process exited with code 7' })
}

/** With findings of several causes, more than one page of statements, and long names. */
function manyWaits (): Profile {
  const run = new RunBuilder()
  repeat(200, at => run.wait({ statement: 'select name from users where id = $1', same: at + 1, rows: 1, stack: ['handler:3', `load${'Very'.repeat(30)}LongName:20`] }, 1))
  repeat(100, () => run.wait({ kind: 'cache', statement: 'get', same: 7, stack: ['handler:4'] }, 1))
  repeat(90, at => run.wait({ statement: `select ${'column, '.repeat(at)} c from t${at}`, stack: [`handler:${at}`] }, 1))
  repeat(8, at => run.open({ kind: 'lock', statement: 'acquire', target: '', stack: ['handler:5'] }, run.now, run.now + 30 * at))
  run.now += 300
  return run.wait({ statement: 'select pg_sleep(?)', stack: ['処理:6'] }, 400).run(['handler', 'isName', 'RegExp: ^(\\w+\\s?)+$'], 300).run(['(garbage collector)'], 300).profile()
}

const PROFILES: ReadonlyArray<readonly [string, Profile, object?]> = [
  ['a tangle', tangledProfile(1)],
  ['a tangle of many', tangledProfile(2, 200, FULL_RUN), { maxNodes: 80, nodeFraction: 0 }],
  ['a fan', fan(), { nodeFraction: 0 }],
  ['a chain', chain(70)],
  ['one that only waited', profileOf([[['(idle)'], 970_000], [['(program)'], 30_000]], FULL_RUN)],
  ['one that waited for hundreds of things', manyWaits()],
  ['one of nothing', profileOf([])],
  ['one that waited', waitingProfile()],
  ['one that waited, of which only the waits', waitingProfile(), { time: 'wait' }],
  ['scripts', profileOf(['処理', 'معالجة', 'дело', '한국어', 'e\u0301te\u0301', '👍🏽', 'ሰላም', '\0\u202e', 'W'.repeat(10_000)]
    .map((name, at) => [['main', name], 100 * 3 ** at]), { ...FULL_RUN, request: { method: 'GET', url: `/${'中'.repeat(300)}` } })]
]

for (const [what, profile, graph] of PROFILES) {
  describe(`a report of ${what}`, () => {
    let pages: readonly DrawnPage[]

    before(async () => {
      const sourceLink = { template: 'vscode://file/{path}:{line}' }
      const prepared = await prepare(profile, fillOptions({ layoutTimeLimit: 60_000, sourceLink, ...graph !== undefined && { graph } }))
      pages = (await drawReport(() => new RecordingCanvas(prepared.type), prepared)).pages
      assert.ok(pages.length >= 2)
    })

    test('has no text smaller than 6 points', () => {
      for (const { title, texts } of pages) for (const { text, size } of texts) assert.ok(size >= 6, `${title}: ${text} has ${size} points`)
    })

    test('has a contrast of at least 4.5 between each text and what is below it', () => {
      for (const { title, texts } of pages) {
        for (const { text, colour, ground } of texts) assert.ok(contrast(colour, ground) >= 4.5, `${title}: ${text}, ${colour} on ${ground}`)
      }
    })

    test('has no text on another, nor outside of its page', () => {
      for (const { title, width, height, texts } of pages) {
        assert.deepEqual(overlaps(texts).map(([a, b]) => `${a.text} | ${b.text}`), [], title)
        const outside = texts.filter(({ left, top, right, bottom }) => left < 20 || top < 10 || right > width - 20 || bottom > height - 10)
        assert.deepEqual(outside.map(({ text }) => text), [], title)
      }
    })

    test('has no text across a box\'s edge', () => {
      for (const { title, texts, boxes } of pages) {
        for (const text of texts) {
          const cut = boxes.filter(box => box.bottom - box.top > 15 && overlaps([text, box]).length > 0 &&
            !(text.left >= box.left && text.right <= box.right && text.top >= box.top && text.bottom <= box.bottom))
          // Legends stand on no box; a percentage may stand on a label's paper.
          assert.deepEqual(cut, [], `${title}: ${text.text}`)
        }
      }
    })

    test('leads only to places that it has', () => {
      const places = pages.flatMap(({ places }) => places)
      assert.equal(new Set(places).size, places.length)
      const wanted = pages.flatMap(({ targets }) => targets).flatMap(target => 'place' in target ? [target.place] : [])
      assert.deepEqual(wanted.filter(place => !places.includes(place)), [])
    })
  })
}

test('a report whose graph could not be drawn leads to no boxes', async () => {
  const { type, content } = await prepare(tangledProfile(1), fillOptions({ layoutTimeLimit: 60_000 }))
  const drawable = { placed: { width: 0, height: 0, boxes: [], links: [] }, boxes: [], lines: [], critical: [] }
  const laidOut = Promise.resolve({ content: { ...content, hasBoxes: false, notes: ['The call graph isn\'t drawn.'] }, drawable })
  const { pages } = await drawReport(() => new RecordingCanvas(type), { content, laidOut })
  const [places, targets] = [pages.flatMap(({ places }) => places), pages.flatMap(({ targets }) => targets)]
  assert.deepEqual(targets.filter(target => 'place' in target && !places.includes(target.place)), [])
  for (const { texts } of pages.slice(0, 2)) assert.ok(texts.some(({ text }) => text === 'The call graph isn\'t drawn.'))
})

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Profile } from '@geordi/profile'
import { findIn } from '../src/findings/index.ts'
import { fillOptions } from '../src/options.ts'
import { drawReport } from '../src/pages/report.ts'
import { kindSums } from '../src/pages/wait-kinds.ts'
import { prepare } from '../src/prepare.ts'
import { waitGroup } from '../src/wait-groups.ts'
import { coverage } from '../src/waits/coverage.ts'
import { lookAt } from '../src/waits/look.ts'
import { ticksOf } from '../src/waits/ticks.ts'
import { randomNumbers } from './profile-builder.ts'
import { type DrawnPage, RecordingCanvas } from './recording-canvas.ts'
import { repeat, RunBuilder, type TestWait } from './run-builder.ts'

const ORDER: TestWait = { statement: 'select * from orders where id = $1', stack: ['handler:3', 'loadOrder:20', 'query in pg:9'] }

async function pagesOf (profile: Profile): Promise<readonly DrawnPage[]> {
  const prepared = await prepare(profile, fillOptions({ layoutTimeLimit: 60_000, sourceLink: { template: 'vscode://file/{path}:{line}' } }))
  return (await drawReport(() => new RecordingCanvas(prepared.type), prepared)).pages
}

const textsOf = (page: DrawnPage | undefined) => page?.texts.map(({ text }) => text) ?? []

/** Waits of several kinds, some at once, with code in between; the same every time. */
function mixed (): RunBuilder {
  const random = randomNumbers(5)
  const run = new RunBuilder()
  repeat(300, at => {
    run.wait({ ...ORDER, same: 1 + random(40), rows: 1 }, 1 + random(5))
    run.run(['handler', 'render'], random(3))
    const now = run.now
    repeat(random(4), other => run.open({ kind: 'http', statement: `GET /users/${at}${other}`, target: 'https://api', stack: ['handler:5'] }, now, now + 2 + other * 3))
    if (at % 7 === 0) run.open({ kind: 'file', statement: 'readFileSync', sync: true, target: `/srv/${at}`, stack: ['handler:9'] }, now, now + 1)
    run.now += random(6)
  })
  return run
}

test('each wait has its share of the wall time: those of a kind sum to the bar\'s part', async () => {
  const { content } = await prepare(mixed().profile(), fillOptions({ layoutTimeLimit: 60_000 }))
  for (const part of ['database', 'network'] as const) {
    const inBar = content.wall.parts.find(({ part: one }) => one === part)?.time ?? 0
    const inTable = kindSums(content).filter(({ kind, sync }) => !sync && waitGroup(kind) === part).reduce((sum, { wall }) => sum + wall, 0)
    assert.ok(inBar > 0 && Math.abs(inBar - inTable) < 1e-3, `${part}: ${inTable} is not ${inBar}`)
  }
})

test('what the longest wait was asked with is below its statement, if it was recorded', async () => {
  const elsewhere = { ...ORDER, values: '1701', stack: ['handler:9'] }
  const run = new RunBuilder().wait({ ...ORDER, values: '1701' }, 100).wait(elsewhere, 50).wait({ statement: 'select 1' }, 30)
  const texts = textsOf((await pagesOf(run.profile())).find(({ title }) => title === 'Waits'))
  assert.equal(texts.indexOf('values of the slowest: 1701'), texts.indexOf(ORDER.statement) + 1)
  assert.equal(texts.filter(text => text.startsWith('values of the slowest:')).length, 1)
})

test('at each moment the open waits have equal parts of it, and nothing while code runs', () => {
  const run = new RunBuilder()
  run.open({ statement: 'a' }, 0, 40)
  run.open({ statement: 'b' }, 20, 60)
  run.now = 30
  run.run(['handler'], 6)
  const { recorded } = lookAt(run.profile())
  assert.deepEqual(Array.from(recorded!.shares, time => Math.round(time)), [20_000 + 5000 + 2000, 5000 + 2000 + 20_000])
})

test('a group is a statement from one place in the application\'s own code', () => {
  const run = new RunBuilder()
  repeat(100, at => run.wait({ ...ORDER, same: 1 + at % 20 }, at + 1))
  run.wait({ ...ORDER, stack: ['handler:4', 'query in pg:9'] }, 1)
  run.wait({ statement: 'select 1', stack: ['timer in some-pool:1'] }, 1)
  const { recorded, profile } = lookAt(run.profile())
  assert.equal(recorded!.tallies.length, 3)
  const [most] = recorded!.tallies
  const { line, frame } = profile.waits!.sites[most!.site]!
  assert.deepEqual([profile.frames[frame]!.name, line], ['loadOrder', 20])
  assert.deepEqual([most!.count, most!.total, most!.median, most!.p95, most!.max, most!.repeats].map(Math.round), [100, 5_050_000, 50_000, 95_000, 100_000, 80])
})

describe('the table of waits', () => {
  test('tells statement, place, counts and times, and leads to the source', async () => {
    const run = new RunBuilder()
    repeat(40, at => run.wait({ ...ORDER, same: 1 + at % 4 }, 2))
    const page = (await pagesOf(run.profile())).find(({ title }) => title === 'Waits')
    const texts = textsOf(page)
    for (const text of ['select * from orders where id = $1', 'loadOrder src/loadOrder.js:20', '40', '80.0 ms', '2.00 ms', '100%', '36']) assert.ok(texts.includes(text), `${text} is not in ${texts.join(' | ')}`)
    assert.ok(page!.targets.some(target => 'url' in target && target.url === 'vscode://file/srv/app/src/loadOrder.js:20'))
  })

  test('ends after 60 groups with the sum of the rest; the sums of the kinds are of all', async () => {
    const run = new RunBuilder()
    repeat(300, at => run.wait({ statement: `select ${'long, '.repeat(at % 30)} c${at} from t`, stack: [`handler:${at}`] }, 300 - at))
    const pages = (await pagesOf(run.profile())).filter(({ title }) => title.startsWith('Waits'))
    assert.ok(pages.length > 1 && pages.length <= 4)
    const rest = 240 * 241 / 2
    assert.match(textsOf(pages.at(-1)).join('\n'), new RegExp(`240 more groups: 240 waits, ${(rest / 1000).toFixed(1)} s in all, ${(rest / 1000).toFixed(1)} s of the wall time`))
    assert.ok(textsOf(pages[0]).includes('45.1 s'))
  })
})

test('that nothing stands out is not said where one thing is waited for most of the time', async () => {
  const summary = async (run: RunBuilder) => textsOf((await pagesOf(run.profile()))[0]).join('\n')
  const asleep = (time: number) => new RunBuilder().run(['handler'], 100).wait({ kind: 'timer', statement: 'setTimeout', target: '', stack: ['handler:3', 'pause:12'] }, time)
  assert.match(await summary(asleep(900)), /No known cause of slowness, but one thing is waited for 90\.0% of the time: setTimeout, src\/pause\.js:12/)
  assert.match(await summary(asleep(300).wait({ kind: 'timer', statement: 'setTimeout', target: '', stack: ['handler:3', 'pause:12'] }, 500)), /88\.9% of the time: 2 × setTimeout, src/)
  // Less than what is noticed, and less than half.
  for (const run of [asleep(90), asleep(400).run(['handler', 'render'], 500)]) assert.match(await summary(run), /Nothing stands out/)
})

describe('the timeline', () => {
  const page = async (run: RunBuilder) => (await pagesOf(run.profile())).find(({ title }) => title === 'Timeline')

  test('has the waits of few one by one, at their times', async () => {
    const run = new RunBuilder().run(['handler'], 100).wait({ statement: 'first' }, 300).wait({ statement: 'second' }, 600)
    const drawn = await page(run)
    const bars = (fill: string) => drawn!.boxes.filter(box => box.fill === fill && box.right - box.left > 20 && box.bottom - box.top > 8).map(({ left, right }) => [left, right].map(Math.round))
    const [x, width] = [42 + 232, 841.89 - 84 - 232]
    const at = (share: number) => Math.round(x + share * width)
    assert.deepEqual(bars('#4c9ef0'), [[at(0.1), at(0.4)], [at(0.4), at(1)]])
    for (const tick of ['0', '0.2 s', '0.4 s', '0.6 s', '0.8 s', '1 s']) assert.ok(textsOf(drawn).includes(tick), tick)
  })

  test('has few shapes however many waits there are, and nothing out of the page', async () => {
    const run = new RunBuilder()
    repeat(20_000, () => run.wait(ORDER, 0.1).run(['handler'], 0.02))
    const drawn = await page(run)
    assert.ok(drawn!.boxes.length < 3000, String(drawn!.boxes.length))
    for (const { left, right, top, bottom } of drawn!.boxes) assert.ok(left >= 0 && top >= 0 && right <= drawn!.width && bottom <= drawn!.height)
    assert.ok(textsOf(drawn).some(text => text.includes('20,000 ×')))
  })

  test('tells how many groups it leaves out', async () => {
    const run = new RunBuilder()
    repeat(80, at => run.wait({ statement: `select ${at}`, stack: [`handler:${at}`] }, 5))
    assert.ok(textsOf(await page(run)).some(text => /^\d+ more groups, not shown: \d+ waits, \d+ ms in all$/.test(text)))
  })

  test('is left out where no waits were recorded, the table too', async () => {
    const titles = (await pagesOf(mixed().cpuProfile())).map(({ title }) => title)
    assert.deepEqual(titles.filter(title => /Waits|Timeline/.test(title)), [])
  })
})

test('coverage is how many were open on the average', () => {
  const { waits } = (() => {
    const run = new RunBuilder()
    run.open(ORDER, 0, 10)
    run.open(ORDER, 5, 25)
    run.open(ORDER, 12, 13)
    run.now = 40
    return run.profile()
  })()
  assert.deepEqual(Array.from(coverage(waits!, [0, 1, 2], 0, 40_000, 4), open => Math.round(open * 1e6) / 1e6), [1.5, 1.1, 0.5, 0])
})

test('ticks are even, few and in one unit', () => {
  assert.deepEqual(ticksOf(102_000, 8), { step: 20_000, labels: ['0', '20 ms', '40 ms', '60 ms', '80 ms', '100 ms'] })
  assert.deepEqual(ticksOf(2_300_000, 8).labels, ['0', '0.5 s', '1 s', '1.5 s', '2 s'])
  assert.deepEqual(ticksOf(600e6, 8).labels.slice(0, 3), ['0 min', '2 min', '4 min'])
  for (const time of [1, 7, 950, 12_345, 999_999, 59e6, 61e6, 3.6e9, 1e12]) {
    const { labels, step } = ticksOf(time, 8)
    assert.ok(labels.length >= 2 && labels.length <= 9, `${time}: ${labels}`)
    assert.ok((labels.length - 1) * step <= time)
    assert.equal(new Set(labels).size, labels.length)
  }
})

test('100,000 waits: findings, table and timeline hold, and tell all of them', async () => {
  const run = new RunBuilder()
  repeat(100_000, at => run.wait({ ...ORDER, same: at + 1, rows: 1 }, 0.1).run(['handler', 'render'], 0.02))
  const profile = run.profile()
  const look = lookAt(profile)
  const [found] = await findIn(look)
  assert.deepEqual([found?.cause, found?.numbers.count, look.recorded!.tallies[0]!.count], ['n-plus-one', 100_000, 100_000])
  assert.ok(Math.abs(look.recorded!.tallies[0]!.wall - 1e7) < 1)
})

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { buildNamedCallGraph, outsideTimes } from '@geordi/callgraph'
import { wallTime } from '../src/content.ts'
import { renderReport, renderSvg } from '../src/index.ts'
import { fillOptions } from '../src/options.ts'
import { drawReport } from '../src/pages/report.ts'
import { prepare } from '../src/prepare.ts'
import { needsPdftotext, textOf } from './pdf-tools.ts'
import { profileOf } from './profile-builder.ts'
import { RecordingCanvas } from './recording-canvas.ts'
import { repeat, RunBuilder } from './run-builder.ts'
import { withWaits } from './wait-builder.ts'
import { waitingProfile } from './waiting-profile.ts'

const LIMIT = { layoutTimeLimit: 60_000 }

describe('a report of a request that waited', () => {
  test('bar, graph and tables agree on the total, which is the wall time', async () => {
    const profile = waitingProfile()
    const { graph, recording, whole } = await buildNamedCallGraph(profile, { sources: false })
    const wall = wallTime(recording, whole)
    const sumOf = (times: Iterable<number>) => Array.from(times).reduce((sum, time) => sum + time, 0)
    assert.equal(wall.time, profile.run.wallTime)
    assert.equal(sumOf(wall.parts.map(({ time }) => time)), wall.time)
    assert.equal(graph.times.total, wall.time)
    assert.equal(sumOf([...graph.nodes.map(({ self }) => self), graph.other.self, ...Object.values(outsideTimes(graph))]), wall.time)
    // The tables' rows have these, and shares of the total.
    assert.equal(sumOf([...graph.functions.self, ...Object.values(outsideTimes(graph))]), wall.time)
    const bar = new Map(wall.parts.map(({ part, time }) => [part, time]))
    const inTables = (isOf: (name: string) => boolean) => sumOf(graph.functions.self.filter((_, frame) => isOf(recording.frames[frame]!.name)))
    assert.equal(bar.get('database'), inTables(name => name.startsWith('(wait) sql')))
    assert.equal(bar.get('network'), inTables(name => /^\(wait\) (http|dns|connect)/.test(name)))
    assert.equal(bar.get('app')! + bar.get('gc')! + bar.get('program')! + bar.get('recording')!, graph.times.busy)
  })

  test('a wall time that is off by the rounding of many stretches has no part that was not sampled', () => {
    const profile = withWaits(profileOf([['(wait) timer sleep'], ['work']].map(stack => [stack, 100.1]), { wallTime: 200.2000001 }))
    const { parts } = wallTime(profile, { times: { total: 0, sampled: 200.2, busy: 100.1, wait: 100.1, idle: 0, gc: 0, program: 0, recording: 0, samples: 1, busySamples: 1 }, functions: { self: new Float64Array(3), total: new Float64Array(3), cpu: new Float64Array(3), kind: [] } })
    assert.ok(!parts.some(({ part }) => part === 'unsampled'))
  })

  test('tells the waits in words, and how many samples of the profiler\'s it stands on', needsPdftotext, async () => {
    const [summary, graph, functions] = textOf(await renderReport(waitingProfile(), LIMIT)) as [string, string, string]
    assert.match(summary, /903, one every 1\.11 ms; 214 busy/)
    assert.match(summary, /21\.5% running \+ 73\.0% waiting \+ 5\.5% idle = wall time 1\.00 s/)
    assert.match(summary, /Wait: SQL\s+380 ms\s+38\.0%/)
    assert.match(summary, /Wait: network\s+111 ms\s+11\.1%/)
    assert.match(summary, /210; recording took at least 25\.0 ms/)
    assert.match(summary, /query\s+src\/query\.js:\d+\s+40\.0 ms\s+4\.0%\s+420 ms\s+42\.0%\s+40\.0 ms/)
    assert.match(graph, /214 busy samples/)
    assert.match(graph, /15 functions and 10 waits of 26/)
    assert.match(graph, /waited 20% · 200 ms · 200 ×/)
    assert.match(graph, /api\.example\/v2\/tokens\/verify/)
    assert.match(graph.replace(/\s+/g, ' '), /Percentages are of the wall time, 1\.00 s\./)
    assert.match(graph, /Round box: what was waited for/)
    assert.match(functions.replace(/\s+/g, ' '), /and waits of the call graph.*of it CPU.*200 × SQL/)
  })

  test('of findings that have no room, tells what each is about; of a long URL, the middle is left out once', async () => {
    const run = new RunBuilder()
    for (const table of ['users', 'orders', 'items', 'prices', 'shops', 'rates', 'taxes']) repeat(20, at => run.wait({ statement: `select * from ${table} where id = $1`, same: at + 1 }, 5))
    const profile = run.profile()
    const request = { method: 'GET', url: `/very-long/${'path/'.repeat(60)}end?q=2`, capturedAt: 0 }
    const { type, ...prepared } = await prepare({ ...profile, run: { ...profile.run, request } }, fillOptions(LIMIT))
    const { pages } = await drawReport(() => new RecordingCanvas(type), prepared)
    const texts = pages[0]!.texts.map(({ text }) => text)
    assert.ok(texts.some(text => /^The same statement 20 times, one by one · .* · select \* from taxes where id = \$1$/.test(text)), texts.slice(0, 60).join('\n'))
    assert.ok(!texts.some(text => /……|… |more, which/.test(text)))
  })

  test('shows a statement whole in the table that its box leads to', async () => {
    const { type, ...prepared } = await prepare(waitingProfile(), fillOptions(LIMIT))
    const { pages } = await drawReport(() => new RecordingCanvas(type), prepared)
    const page = pages.find(({ title }) => title === 'Functions')!
    assert.ok(page.texts.map(({ text }) => text).join(' ').includes('join products p on p.sku = l.sku where'))
    const graph = pages.find(({ title }) => title === 'Call graph')!
    const row = page.places.find(place => graph.targets.some(target => 'place' in target && target.place === place))
    assert.ok(row !== undefined)
  })

  test('says which time it counts where that is not all', needsPdftotext, async () => {
    for (const [time, words] of [['cpu', /Only what code ran is counted.*busy time, 215 ms/s], ['wait', /Only what was waited for is counted.*time spent waiting, 730 ms/s]] as const) {
      const [summary, graph] = textOf(await renderReport(waitingProfile(), { ...LIMIT, graph: { time } })) as [string, string]
      for (const page of [summary, graph]) assert.match(page, words)
      // The bar is of the whole wall time, whatever is counted below it.
      assert.match(summary, /Wait: SQL\s+380 ms\s+38\.0%/)
      assert.equal(graph.includes('Round box'), time === 'wait')
    }
  })

  test('that waited for nothing says so where only waits are counted', needsPdftotext, async () => {
    const [summary] = textOf(await renderReport(withWaits(profileOf([[['work'], 10]])), { graph: { time: 'wait' } })) as [string]
    assert.match(summary, /waited for nothing that was recorded/)
  })

  test('has round boxes with tooltips in the SVG', async () => {
    const svg = await renderSvg(waitingProfile(), LIMIT)
    assert.match(svg, /<title>select id, name, email from users where id = \$1\nSQL · 127\.0\.0\.1:5432\/shop\nwaited 200 ms \(20\.0%\) · 200 times<\/title>\s*<rect[^>]* rx="15"/)
  })
})

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { renderReport, ReportError, warmUp, type ReportOptions } from '../src/index.ts'
import { needsPdftotext, needsQpdf, plainTextOf, qpdfCheck, rawTextOf, textOf, wordsOf, type Page } from './pdf-tools.ts'
import { FULL_RUN, profileOf, tangledProfile } from './profile-builder.ts'

const SMALL = profileOf([
  [['handleRequest', 'parseBody'], 100_000],
  [['handleRequest', 'renderPage', 'escapeHtml'], 400_000],
  [['handleRequest', 'renderPage', ''], 50_000],
  [['(garbage collector)'], 30_000],
  [['(program)'], 20_000],
  [['(idle)'], 300_000]
], FULL_RUN)

function asText (pdf: Uint8Array): string {
  return Buffer.from(pdf).toString('latin1')
}

/** Pairs of words that lie on each other. Lines may be as close as their letters' heights, which are within the fonts' boxes. */
function overlaps ({ words }: Page): string[] {
  return words.flatMap((a, at) => words.slice(at + 1).filter(b => {
    const height = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top)
    const width = Math.min(a.right, b.right) - Math.max(a.left, b.left)
    return width > 0.2 && height > 0.35 * Math.min(a.bottom - a.top, b.bottom - b.top)
  }).map(b => `${a.text} | ${b.text}`))
}

function assertHas (text: string, ...parts: string[]): void {
  for (const part of parts) assert.ok(text.includes(part), `"${part}" isn't in: ${text}`)
}

function outside ({ width, height, words }: Page): string[] {
  return words
    .filter(({ left, top, right, bottom }) => left < 20 || top < 10 || right > width - 20 || bottom > height - 10)
    .map(({ text }) => text)
}

describe('renderReport', () => {
  test('tells the request, the run and where the time went', needsPdftotext, async () => {
    const [summary] = textOf(await renderReport(SMALL)) as [string]
    assertHas(summary, 'GET /slow/cpu?ms=500', 'Answered 200 in 1.00 s', '2026-11-23 08:24:45 UTC', 'picard', '45.7 kB · text/html',
      'worker-3, process 4711', 'demo@1.4.2', 'v22.12.0', 'v8-profiler-next, every 1.00 ms if it can', '6, one every 150 ms; 5 busy', '600 ms of 900 ms sampled')
    assert.match(summary, /Your code\s+550 ms\s+55\.0%/)
    assert.match(summary, /Garbage collection\s+30\.0 ms\s+3\.0%/)
    assert.match(summary, /V8 itself\s+20\.0 ms\s+2\.0%/)
    assert.match(summary, /Waiting \(idle\)\s+300 ms\s+30\.0%/)
    assert.match(summary, /Not sampled\s+100 ms\s+10\.0%/)
    assert.match(summary, /escapeHtml\s+src\/escapeHtml\.js:5\s+400 ms\s+66\.7%\s+400 ms\s+66\.7%/)
    assert.match(summary, /handleRequest\s+src\/handleRequest\.js:2\s+0 ms\s+0%\s+550 ms\s+91\.7%/)
  })

  test('draws functions with place and shares, and tells what the graph leaves out', needsPdftotext, async () => {
    const [, graph] = textOf(await renderReport(SMALL, { graph: { maxNodes: 3 } })) as [string, string]
    assertHas(graph, 'handleRequest', 'escapeHtml', 'src/escapeHtml.js:5', 'total 67% · self 67%', 'total 92% · self 0%',
      '(garbage collector)', '(program)', 'Critical path', 'Dashed', '3 of 5 functions', '2 functions not shown')
    assert.match(graph, /Percentages are of the busy time, 600 ms, the sampled time without 300 ms of waiting/)
    const sum = /Self times: ([\d.]+)% in the functions shown \+ ([\d.]+)% in others \+ ([\d.]+)% garbage collection \+ ([\d.]+)% V8 = 100%/
      .exec(graph.replace(/\s+/g, ' '))
    assert.ok(sum, graph)
    const total = sum.slice(1).reduce((total, share) => total + Number(share), 0)
    assert.ok(Math.abs(total - 100) < 0.3, `${sum[0]}: ${total}`)
  })

  test('anonymous functions are told by their place', needsPdftotext, async () => {
    const profile = profileOf([[['', 'work'], 1000]], { process: FULL_RUN.process! }, name => `file:///srv/app/${name === '' ? 'routes' : name}.js`)
    const [, graph] = textOf(await renderReport(profile)) as [string, string]
    assert.match(graph, /\(anonymous\)/)
    assert.match(graph, /routes\.js:2/)
  })

  test('without a request, the title and the sampled time stand in', needsPdftotext, async () => {
    const [summary] = textOf(await renderReport({ ...SMALL, run: { title: 'tsc.cpuprofile' } })) as [string]
    assert.match(summary, /tsc\.cpuprofile/)
    assert.match(summary, /900 ms recorded/)
    assert.ok(!summary.includes('Not sampled'))
    const [untitled] = textOf(await renderReport({ ...SMALL, run: {} })) as [string]
    assert.match(untitled, /CPU profile/)
  })

  test('a profile without samples says so', needsPdftotext, async () => {
    const pages = textOf(await renderReport(profileOf([], FULL_RUN)))
    assert.equal(pages.length, 2)
    const words = 'holds no samples: it was over before the profiler, which looks every 1.00 ms, looked'
    for (const page of pages) assertHas(page.replace(/\s+/g, ' '), words)
  })

  test('a request that only waited says so', needsPdftotext, async () => {
    const pages = textOf(await renderReport(profileOf([[['(idle)'], 970_000], [['(program)'], 30_000]], FULL_RUN)))
    const words = 'The request waited 97.0% of the time (for input, output or timers); no JavaScript was sampled.'
    for (const page of pages) assertHas(page.replace(/\s+/g, ' '), words)
  })

  test('a request that mostly waited says what the graph stands for', needsPdftotext, async () => {
    const [summary] = textOf(await renderReport(profileOf([[['(idle)'], 900_000], [['work'], 100_000]], FULL_RUN))) as [string]
    assert.match(summary.replace(/\s+/g, ' '), /idle for 90\.0% of the sampled time.* explain the other 100 ms \(1 sample\)/)
  })

  test('no word lies on another or leaves its page', needsPdftotext, async () => {
    const url = `/${'long-path/'.repeat(60)}?q=${'x'.repeat(400)}`
    const long = { ...FULL_RUN, request: { ...FULL_RUN.request!, url, by: 'a person with a very long name, indeed '.repeat(5) } }
    for (const profile of [SMALL, tangledProfile(1), tangledProfile(2, 100, long), profileOf([], long), profileOf([[['(idle)'], 5]])]) {
      wordsOf(await renderReport(profile)).forEach((page, at) => {
        assert.ok(page.words.length > 5)
        assert.deepEqual(overlaps(page), [], `page ${at + 1}`)
        assert.deepEqual(outside(page), [], `page ${at + 1}`)
      })
    }
  })

  test('begins with what happened where the recording ended early', needsPdftotext, async () => {
    const pages = textOf(await renderReport({ ...SMALL, run: { ...FULL_RUN, ended: 'the process exited with code 7' } }))
    assertHas(pages[0]!.slice(0, 600).replace(/\s+/g, ' '), '1.00 s recorded, until it ended early', 'only a part of the run: the process exited with code 7.')
    assertHas(pages[1]!, 'the process exited with code 7')
  })

  test('says which part of the recording is looked at', needsPdftotext, async () => {
    const graph = { root: 'renderPage', granularity: 'file' } as const
    const pages = textOf(await renderReport(SMALL, { graph })).map(page => page.replace(/\s+/g, ' '))
    for (const page of pages.slice(0, 2)) assertHas(page, 'Only what renderPage and its callees took is shown, 75.0% of the recording', 'One box is one file')
    assertHas(pages[1]!, 'of 3 files')
    assertHas(pages[2]!, 'Files of the call graph')
  })

  test('a graph that takes too long to lay out is smaller, on all pages, and the report says so', { ...needsPdftotext, ...needsQpdf }, async () => {
    const pdf = await renderReport(tangledProfile(1, 400), { layoutTimeLimit: 1, graph: { maxNodes: 300, nodeFraction: 0 } })
    assert.match(qpdfCheck(pdf), /No syntax or stream encoding errors/)
    const pages = textOf(pdf).map(page => page.replace(/\s+/g, ' '))
    for (const page of pages.slice(0, 2)) assert.match(page, /Laying out a graph of \d+ functions took too long|The call graph isn't drawn/)
  })

  test('is read out in order, with and without the layout kept', needsPdftotext, async () => {
    const pdf = await renderReport(SMALL)
    const order = [['GET /slow/cpu', 'Answered 200', 'Captured', 'Where the time went', 'Your code', 'Top functions by self time', 'escapeHtml',
      'Top functions by total time', 'handleRequest', 'Summary'], ['GET /slow/cpu', 'Call graph', 'Box colour', 'Percentages are', 'handleRequest'],
    ['Functions of the call graph', 'handleRequest', 'renderPage', 'escapeHtml', 'parseBody', 'Geordi']]
    for (const pages of [textOf(pdf), plainTextOf(pdf), rawTextOf(pdf)]) {
      assert.equal(pages.length, order.length)
      order.forEach((parts, at) => parts.reduce((from, part) => {
        const found = (pages[at] as string).indexOf(part, from)
        assert.ok(found >= 0, `"${part}" isn't after what is before it: ${pages[at]}`)
        return found
      }, 0))
    }
  })

  test('is PDF 1.7 with title, language, outline and embedded fonts', needsQpdf, async () => {
    const pdf = await renderReport(SMALL, { createdAt: new Date(Date.UTC(2026, 0, 2)) })
    assert.match(qpdfCheck(pdf), /PDF Version: 1\.7/)
    const text = asText(pdf)
    for (const part of ['(Geordi)', '(CPU profile and call graph)', '(GET /slow/cpu?ms=500)', '/Title (Summary)', '/Title (Call graph)', '/Lang (en)', '(D:20260102', '/FontFile2']) {
      assert.ok(text.includes(part), part)
    }
    assert.ok(!text.includes('/Helvetica'), 'PDFKit\'s built-in font knows Latin-1 only')
  })

  test('the same profile gives the same report', async () => {
    const options = { createdAt: new Date(0) }
    assert.deepEqual(await renderReport(SMALL, options), await renderReport(SMALL, options))
  })

  test('reports may be made at the same time', async () => {
    const pdfs = await Promise.all([SMALL, tangledProfile(3), SMALL].map(profile => renderReport(profile, { createdAt: new Date(0) })))
    assert.deepEqual(pdfs[0], pdfs[2])
    assert.notDeepEqual(pdfs[0], pdfs[1])
  })

  test('warming up is optional and repeatable', async () => {
    await warmUp()
    await warmUp()
    assert.equal(asText(await renderReport(SMALL)).slice(0, 8), '%PDF-1.7')
  })
})

describe('hostile names', () => {
  const hostile = ['x'.repeat(10_000), 'a\0b\x1b[31m', '\uD800lone\uDC00', '\u202Eevil\u2066', '"><script>&eacute;</script>', 'line\nbreak\ttab',
    'функция', 'λ→≥', '中文函数', 'مرحبا', 'e\u0301'.repeat(500), '👩‍👩‍👧', '__proto__', '\\N\\G\\L', '(anonymous', ')', '%', '']
  const profile = profileOf(hostile.map((name, at) => [['main', name], 2000 - at]), {
    ...FULL_RUN,
    request: { method: 'GE\0T', url: `/\uDC00${'ü'.repeat(10_000)}\0`, by: '\u202E\0' },
    response: { statusCode: 200, contentType: '\0\n' },
    process: { ...FULL_RUN.process!, hostname: '\uD800'.repeat(2000), app: '\0' }
  }, name => name === '' ? 'file:///\0\uD800%00/x.js' : `file:///srv/app/${name}\0/${'y'.repeat(10_000)}`)

  test('give a valid report', needsQpdf, async () => {
    assert.match(qpdfCheck(await renderReport(profile)), /No syntax or stream encoding errors/)
  })

  test('are still legible where they can be', needsPdftotext, async () => {
    const [summary, graph, ...functions] = textOf(await renderReport(profile)) as [string, string, ...string[]]
    assert.match(summary, /x{5}…x{5}/)
    for (const page of [graph, functions.join('\n')]) {
      assertHas(page, 'функция', 'λ→≥', '"><script>&eacute;</script>', 'line break tab', 'a\uFFFDb\uFFFD[31m', '__proto__', '\\N\\G\\L')
      assert.match(page, /x{5}…x{5}/)
    }
  })

  test('don\'t lie on each other', needsPdftotext, async () => {
    for (const page of wordsOf(await renderReport(profile))) {
      assert.deepEqual(overlaps(page), [])
      assert.deepEqual(outside(page), [])
    }
  })
})

describe('options', () => {
  for (const [what, options, name] of [
    ['a stranger', { size: 'A4' }, 'size'],
    ['no time', { layoutTimeLimit: 0 }, 'layoutTimeLimit'],
    ['a time that is no number', { layoutTimeLimit: '5' }, 'layoutTimeLimit'],
    ['an invalid date', { createdAt: new Date(NaN) }, 'createdAt']
  ] as const) {
    test(`${what} is refused by name`, async () => {
      await assert.rejects(renderReport(SMALL, options as unknown as ReportOptions), (error: unknown) =>
        error instanceof ReportError && error.code === 'GEORDI_REPORT_BAD_OPTION' && error.message.includes(`"${name}"`))
    })
  }

  test('the graph\'s own are refused by the graph', async () => {
    await assert.rejects(renderReport(SMALL, { graph: { maxNodes: 0 } }), { code: 'GEORDI_CALLGRAPH_BAD_OPTION' })
  })
})

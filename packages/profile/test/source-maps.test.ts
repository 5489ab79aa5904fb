import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { encodedMap, TraceMap, type SourceMapSegment } from '@jridgewell/trace-mapping'
import { classify, frameLocation, type Run } from '../src/index.ts'
import { resolveSources, SourceResolver } from '../src/sources/index.ts'
import { filesOf, frameAt, profileOf } from './sources-support.ts'

const URL = 'file:///srv/app/dist/a.js'
const run: Run = { process: { hostname: 'h', pid: 1, node: 'v20.0.0', root: '/srv/app' } }

/** Minified: `t` was `save`, `e` was `Session`, `n` was `app`. */
const CODE = 'class e{t(){}}n.get("/x",()=>{});function o(){}'
const NAMES = ['Session', 'save', 'app', 'helper']
const MAPPINGS: SourceMapSegment[][] = [[
  [0, 0, 2, 0], [6, 0, 2, 6, 0], [8, 0, 4, 2, 1], [9, 0, 4, 6],
  [14, 0, 9, 0, 2], [25, 0, 9, 14], [33, 0, 19, 0], [42, 0, 19, 9, 3]
]]

function mapOf (over: object = {}): Record<string, unknown> {
  return { ...encodedMap(new TraceMap({ version: 3, names: NAMES, sources: ['../src/a.ts'], mappings: MAPPINGS })), ...over }
}

function inline (map: object): string {
  return `${CODE}\n//# sourceMappingURL=data:application/json;base64,${Buffer.from(JSON.stringify(map)).toString('base64')}\n`
}

const METHOD = frameAt(URL, CODE, '(){}}', 't')
const ARROW = frameAt(URL, CODE, '()=>')
const FUNCTION = { ...frameAt(URL, CODE, '(){}', 'o'), column: CODE.lastIndexOf('()') + 1 }

async function look (files: Record<string, string>) {
  const { profile, notes } = await resolveSources(profileOf([METHOD, ARROW, FUNCTION], run), { readFile: filesOf(files) })
  return { frames: profile.frames, notes, places: profile.frames.map(frame => frameLocation(frame, run).text) }
}

/** As TypeScript builds `async function load (): Promise<void> { await query() }` for what has no `async`: the second line is its own, and has no place. */
const ASYNC = 'function load() {\n    return __awaiter(this, void 0, void 0, function* () {\n        yield query();\n    });\n}'

test('the body of an async function that was built to a generator has that function\'s name and place', async () => {
  const map = (after: string) => encodedMap(new TraceMap({ version: 3, names: [], sources: ['../src/a.ts', '../src/b.ts'], mappings: [[[0, 0, 4, 0], [13, 0, 4, 19]], [], [[8, after === 'b' ? 1 : 0, 5, 2]], [], []] }))
  const body = frameAt(URL, ASYNC, '() {\n        yield')
  const found = async (after: string) => {
    const script = `${ASYNC}\n//# sourceMappingURL=data:application/json;base64,${Buffer.from(JSON.stringify(map(after))).toString('base64')}`
    const { profile: { frames: [frame] } } = await resolveSources(profileOf([body], run), { readFile: filesOf({ '/srv/app/dist/a.js': script }) })
    return { name: frame?.source?.name, place: frameLocation(frame!, run).text }
  }
  assert.deepEqual(await found('a'), { name: 'load', place: 'src/a.ts:5' })
  assert.equal((await found('b')).place, 'dist/a.js:2', 'between two sources nothing is known')
})

test('so has one in a callback, by whichever helper', async () => {
  for (const helper of ['__awaiter', '__awaiter$2', 'tslib_1.__awaiter', '__async', '_asyncToGenerator']) {
    const code = `function list() { return rows.map(row => ${helper}(this, function* () { yield query(row) })) }`
    const { profile: { frames: [frame] } } = await resolveSources(profileOf([frameAt(URL, code, '() { yield')], run), { readFile: filesOf({ '/srv/app/dist/a.js': code }) })
    assert.equal(frame?.source?.name, 'rows.map callback in list')
  }
})

describe('source maps', () => {
  const flavours: Array<[string, Record<string, string>, string?]> = [
    ['inline, base64', { '/srv/app/dist/a.js': inline(mapOf()) }],
    ['inline, percent-encoded', { '/srv/app/dist/a.js': `${CODE}\n//# sourceMappingURL=data:application/json,${encodeURIComponent(JSON.stringify(mapOf()))}` }],
    ['in a file', { '/srv/app/dist/a.js': `${CODE}\n//# sourceMappingURL=maps/a%20b.map`, '/srv/app/dist/maps/a b.map': JSON.stringify(mapOf({ sources: ['../../src/a.ts'] })) }],
    ['in an old comment', { '/srv/app/dist/a.js': `${CODE}\n/*@ sourceMappingURL=a.map */`, '/srv/app/dist/a.map': JSON.stringify(mapOf()) }],
    ['with a guard against being a script', { '/srv/app/dist/a.js': `${CODE}\n//# sourceMappingURL=a.map`, '/srv/app/dist/a.map': `)]}'\n${JSON.stringify(mapOf())}` }],
    ['with a sourceRoot', { '/srv/app/dist/a.js': inline(mapOf({ sourceRoot: '../src', sources: ['a.ts'] })) }],
    ['with an absolute sourceRoot', { '/srv/app/dist/a.js': inline(mapOf({ sourceRoot: '/srv/app/', sources: ['src/a.ts'] })) }],
    ['with contents', { '/srv/app/dist/a.js': inline(mapOf({ sourcesContent: ['class Session {}'] })) }],
    ['in sections', { '/srv/app/dist/a.js': inline({ version: 3, sections: [{ offset: { line: 0, column: 0 }, map: mapOf() }] }) }],
    ['of webpack', { '/srv/app/dist/a.js': inline(mapOf({ sources: ['webpack://shop/./src/a.ts?1f2e'] })) }],
    ['of webpack, with loaders', { '/srv/app/dist/a.js': inline(mapOf({ sources: ['webpack:///./node_modules/ts-loader/index.js!./src/a.ts'] })) }]
  ]
  for (const [what, files] of flavours) {
    test(`${what}: the original place and names`, async () => {
      const { frames, notes, places } = await look(files)
      assert.deepEqual(notes, [])
      assert.deepEqual(places, ['src/a.ts:5', 'src/a.ts:10', 'src/a.ts:20'])
      assert.deepEqual(frames.map(({ source }) => source?.name), ['Session.save', "app.get('/x') handler", 'helper'])
      assert.deepEqual(frames.map(({ source }) => source?.original?.column), [7, 15, 10])
      assert.deepEqual(frames.map(frame => classify(frame, run)), ['app', 'app', 'app'])
    })
  }

  test('what V8 said stays beside', async () => {
    const { frames } = await look({ '/srv/app/dist/a.js': inline(mapOf()) })
    assert.deepEqual(frames.map(({ source, ...frame }) => frame), [METHOD, ARROW, FUNCTION])
  })

  test('a bundle\'s functions are told apart by package before there is a graph', async () => {
    const sources = ['../node_modules/.pnpm/lib@2.0.1/node_modules/lib/i.js']
    const resolver = new SourceResolver({ readFile: filesOf({ '/srv/app/dist/a.js': inline(mapOf({ sources })) }) })
    const [frame] = (await resolver.locate(profileOf([METHOD], run))).frames
    assert.equal(classify(frame!, run), 'dependency')
    assert.equal(frameLocation(frame!, run).text, 'lib/i.js:5')
    assert.equal(frame!.source?.name, undefined)
    const [named] = (await resolver.resolve(profileOf([METHOD], run))).frames
    assert.equal(frameLocation(named!, run).packageVersion, '2.0.1')
  })

  const unmapped: Array<[string, string, RegExp | undefined, string?]> = [
    ['none', CODE, undefined],
    ['of a web address', inline(mapOf({ sources: ['https://example.org/a.ts'] })), undefined],
    ['without a source\'s name', inline(mapOf({ sources: [null] })), undefined],
    ['on the web', `${CODE}\n//# sourceMappingURL=https://example.org/a.map`, /isn't fetched/],
    ['that isn\'t there', `${CODE}\n//# sourceMappingURL=a.js.map`, /isn't there/],
    ['at no address', `${CODE}\n//# sourceMappingURL=http://[`, /leads nowhere/],
    ['at another scheme', `${CODE}\n//# sourceMappingURL=blob:a`, /leads nowhere/],
    ['that isn\'t JSON', `${CODE}\n//# sourceMappingURL=data:application/json,{`, /isn't JSON/],
    ['wrongly encoded', `${CODE}\n//# sourceMappingURL=data:application/json,%E0%A4%A`, /wrongly encoded/],
    ['without data', `${CODE}\n//# sourceMappingURL=data:`, /holds nothing/],
    ['that is null', `${CODE}\n//# sourceMappingURL=data:,null`, /isn't an object/],
    ['of version 2', inline(mapOf({ version: 2 })), /version is 2/],
    ['without mappings', inline({ version: 3, sources: [] }), /neither mappings nor sections/],
    ['with sections of nonsense', inline({ version: 3, sections: [null, { map: 5 }] }), /broken/],
    ['to places that no file has', inline({ ...encodedMap(new TraceMap({ version: 3, names: [], sources: ['../src/a.ts'], mappings: [[[0, 0, 500_000_000, 0]]] })) }), undefined],
    ['to a source that it doesn\'t list', inline(mapOf({ sources: [] })), undefined]
  ]
  for (const [what, code, note] of unmapped) {
    test(`${what}: the script's own places, and V8's and the source's names`, async () => {
      const { frames, notes, places } = await look({ '/srv/app/dist/a.js': code })
      assert.deepEqual(places, ['dist/a.js:1', 'dist/a.js:1', 'dist/a.js:1'])
      assert.equal(frames[1]?.source?.name?.endsWith(".get('/x') handler"), true)
      assert.equal(notes.length, note === undefined ? 0 : 1)
      if (note !== undefined) assert.match(notes[0]!.problem, note)
      for (const { url } of notes) assert.equal(url, URL)
    })
  }

  test('mappings of random characters are fatal to nothing', async () => {
    for (const mappings of ['!!!', 'AAAA,,,;;;;gggggggggggggggggggggA', 'A'.repeat(1001), '\0', 'zzzzzzzzzzzzzzzzzzzzzzzz', 'DDDDDDD']) {
      const { frames } = await look({ '/srv/app/dist/a.js': inline(mapOf({ mappings })) })
      for (const { source } of frames) {
        const { line = 1, column = 1 } = source?.original ?? {}
        assert.ok(line >= 1 && column >= 1, mappings)
      }
    }
  })

  test('a source whose name is no text is no place', async () => {
    for (const sources of [[5], [{}], [['x']]]) {
      const { frames } = await look({ '/srv/app/dist/a.js': inline(mapOf({ sources })) })
      assert.ok(frames.every(({ source }) => source?.original === undefined || typeof source.original.url === 'string'))
    }
  })
})

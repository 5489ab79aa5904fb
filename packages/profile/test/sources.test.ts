import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { describe, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { classify, frameLocation, type Frame, type Run } from '../src/index.ts'
import { resolveSources, SourceResolver, type SourceOptions } from '../src/sources/index.ts'
import { findWorkspace } from '../src/workspace.ts'
import { filesOf, frameAt, profileOf, temporaryFolder } from './sources-support.ts'

function runIn (root: string, workspace?: string): Run {
  return { process: { hostname: 'h', pid: 1, node: 'v20.0.0', root, ...workspace !== undefined && { workspace } } }
}

function write (folder: string, files: Readonly<Record<string, string | object>>): void {
  for (const [name, content] of Object.entries(files)) {
    const file = join(folder, name)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content))
  }
}

async function resolveOne (frame: Partial<Frame>, run?: Run, options: SourceOptions = {}): Promise<Frame> {
  const { profile } = await resolveSources(profileOf([frame], run), options)
  return profile.frames[0] as Frame
}

describe('packages', () => {
  const versionAt = async (folder: string, file: string) => {
    const frame = await resolveOne({ name: 'f', url: pathToFileURL(join(folder, file)).href }, runIn(folder))
    const { packageName, packageVersion } = frameLocation(frame, runIn(folder))
    return [packageName, packageVersion]
  }

  test('in node_modules have the version of their package.json, also nested ones and with a scope', async t => {
    const folder = temporaryFolder(t)
    write(folder, {
      'node_modules/x/package.json': { name: 'x', version: '1.2.3' },
      'node_modules/x/dist/package.json': { type: 'module' },
      'node_modules/x/node_modules/@s/y/package.json': { name: '@s/y', version: '4.0.0-next.1' },
      'node_modules/bad/package.json': '{',
      'node_modules/odd/package.json': { name: 'odd', version: 7 }
    })
    assert.deepEqual(await versionAt(folder, 'node_modules/x/dist/i.js'), ['x', '1.2.3'])
    assert.deepEqual(await versionAt(folder, 'node_modules/x/node_modules/@s/y/i.js'), ['@s/y', '4.0.0-next.1'])
    for (const name of ['bad', 'odd', 'gone']) assert.deepEqual(await versionAt(folder, `node_modules/${name}/i.js`), [name, undefined])
  })

  test('behind a link have the version of where it leads', async t => {
    const folder = temporaryFolder(t)
    write(folder, { 'elsewhere/package.json': { name: 'linked', version: '9.9.9' }, 'node_modules/.keep': '' })
    symlinkSync(join(folder, 'elsewhere'), join(folder, 'node_modules/linked'))
    assert.deepEqual(await versionAt(folder, 'node_modules/linked/i.js'), ['linked', '9.9.9'])
  })

  test('of pnpm and Yarn have it in their paths, without a file being there', async t => {
    const folder = temporaryFolder(t)
    assert.deepEqual(await versionAt(folder, 'node_modules/.pnpm/@s+y@1.0.2_z@3.0.0/node_modules/@s/y/i.js'), ['@s/y', '1.0.2'])
    assert.deepEqual(await versionAt(folder, '.yarn/cache/left-pad-npm-1.3.0-0123456789-abcdef0123.zip/node_modules/left-pad/i.js'), ['left-pad', '1.3.0'])
  })

  test('each package.json is read once', async () => {
    const asked: string[] = []
    const frames = ['a', 'b', 'c'].map(file => ({ name: file, url: `file:///app/node_modules/x/${file}.js` }))
    await resolveSources(profileOf(frames, runIn('/app')), { readFile: async path => { asked.push(path); throw new Error('none') } })
    assert.equal(asked.filter(path => path.endsWith('x/package.json')).length, 1)
  })

  const GEORDI = { '/repo/packages/fastify/package.json': '{"name":"@geordi/fastify","version":"0.1.0"}', '/repo/packages/lib/package.json': '{"name":"lib"}' }
  const kindOf = async (url: string, run: Run) => classify((await new SourceResolver({ readFile: filesOf(GEORDI) }).locate(profileOf([{ url }], run))).frames[0]!, run)

  test('Geordi\'s own aren\'t the application\'s, wherever they are', async () => {
    const run = runIn('/repo/services/demo', '/repo')
    assert.equal(await kindOf('file:///repo/packages/fastify/dist/i.js', run), 'dependency')
    const frame = await resolveOne({ url: 'file:///repo/packages/fastify/dist/i.js', line: 7 }, run, { readFile: filesOf(GEORDI) })
    assert.deepEqual(frameLocation(frame, run), { packageName: '@geordi/fastify', packageVersion: '0.1.0', text: '@geordi/fastify/dist/i.js:7' })
    assert.equal(await kindOf('file:///repo/packages/fastify/dist/i.js', runIn('/repo/packages/fastify')), 'app')
  })

  test('a monorepo\'s others are the application\'s, shown from the monorepo\'s folder', async () => {
    const url = 'file:///repo/packages/lib/i.js'
    assert.equal(await kindOf(url, runIn('/repo/services/demo', '/repo')), 'app')
    assert.equal(await kindOf(url, runIn('/repo/services/demo')), 'dependency')
    assert.equal(await kindOf('file:///repo/node_modules/z/i.js', runIn('/repo/services/demo', '/repo')), 'dependency')
    assert.equal(frameLocation({ name: '', url, line: 3, column: 1 }, runIn('/repo/services/demo', '/repo')).text, 'packages/lib/i.js:3')
  })
})

describe('findWorkspace', () => {
  for (const [what, file] of [['a lock file', { 'pnpm-lock.yaml': '' }], ['workspaces', { 'package.json': { workspaces: ['packages/*'] } }],
    ['.git', { '.git/HEAD': '' }]] as const) {
    test(`finds the folder with ${what}`, t => {
      const folder = temporaryFolder(t)
      write(folder, { ...file, 'services/app/package.json': { name: 'app' } })
      assert.equal(findWorkspace(join(folder, 'services/app')), folder)
    })
  }

  test('stops at the application\'s own lock file', t => {
    const folder = temporaryFolder(t)
    write(folder, { '.git/HEAD': '', 'app/yarn.lock': '' })
    assert.equal(findWorkspace(join(folder, 'app')), join(folder, 'app'))
  })

  test('is never the home folder or the root', () => {
    for (const folder of [homedir(), '/', '/no/such/folder/anywhere']) assert.equal(findWorkspace(folder), folder)
  })
})

describe('sources that can\'t be used leave V8\'s names', () => {
  const URL = 'file:///srv/a.js'
  const named = async (code: string, frame: Partial<Frame>, options: SourceOptions = {}) =>
    (await resolveOne({ url: URL, ...frame }, undefined, { readFile: filesOf({ '/srv/a.js': code }), ...options })).source?.name

  const CODE = 'class A { b () {} }\nx.y(() => {})'
  test('as they would be named otherwise', async () => {
    assert.equal(await named(CODE, frameAt(URL, CODE, '() {}', 'b')), 'A.b')
    assert.equal(await named(`\uFEFF${CODE}`, frameAt(URL, CODE, '() {}', 'b')), 'A.b')
    assert.equal(await named(CODE.replace('\n', '\r\n'), frameAt(URL, CODE, '() =>')), 'x.y callback')
    assert.equal(await named(CODE.replace('\n', '/*\u2028*/'), { line: 2, column: 7 }), 'x.y callback')
  })

  test('unreadable', async () => assert.equal(await named(CODE, { ...frameAt(URL, CODE, '() {}', 'b'), url: 'file:///srv/gone.js' }), undefined))
  test('a syntax error', async () => assert.equal(await named(`${CODE} }`, frameAt(URL, CODE, '() {}', 'b')), undefined))
  test('TypeScript', async () => assert.equal(await named(`${CODE}; let a: number = 5`, frameAt(URL, CODE, '() {}', 'b')), undefined))
  test('larger than may be parsed', async () => {
    for (const limits of [{ parse: 10 }, { parseInAll: 10 }]) assert.equal(await named(CODE, frameAt(URL, CODE, '() {}', 'b'), { limits }), undefined)
  })
  test('of one that is larger, only the statement around the function is parsed', async () => {
    const lines = ['"use strict"', 'class Ship {', '  fly () { return () => {} }', '}', 'const text = `', ['margin ', '{(() => 1)()}`'].join('$'), 'plot(', '  1, function () {}', ')', 'this is no JavaScript']
    for (const end of ['\n', '\r\n']) {
      const code = lines.join(end)
      const limits = { parse: 60 }
      assert.equal(await named(code, frameAt(URL, code, '() {', 'fly'), { limits }), 'Ship.fly')
      assert.equal(await named(code, frameAt(URL, code, '() => {}'), { limits }), 'returned by Ship.fly')
      assert.equal(await named(code, { name: '', line: 8, column: 15 }, { limits }), 'plot callback')
      assert.equal(await named(code, frameAt(URL, code, '() => 1'), { limits }), undefined, 'what begins at the margin, but in a text, is no statement')
      assert.equal(await named(code, frameAt(URL, code, '() {', 'fly'), { limits: { parse: 40 } }), undefined, 'a statement too large as well')
      assert.equal(await named(code, frameAt(URL, code, '() {', 'fly'), { limits: { ...limits, parseInAll: 40 } }), undefined, 'the budget is for statements, too')
    }
  })
  test('changed since', async () => assert.equal(await named(CODE, frameAt(URL, CODE, '() {}', 'c')), undefined))
  test('shorter since', async () => {
    for (const [line, column] of [[3, 1], [1, 500], [0, 0], [1, 0], [2 ** 31, 1]] as const) assert.equal(await named(CODE, { name: 'b', line, column }), undefined)
  })
  test('nested 10,000 deep', async () => {
    for (const [open, close] of [['(', ')'], ['[', ']'], ['{', '}'], ['a(() => ', ')'], ['!', '']] as const) {
      const code = `${CODE}\n;${open.repeat(10_000)}0${close.repeat(10_000)}`
      assert.ok([undefined, 'A.b'].includes(await named(code, frameAt(URL, CODE, '() {}', 'b'))))
    }
  })
  test('full of NULs', async () => {
    assert.equal(await named('\0'.repeat(1000) + CODE, { name: 'b', line: 1, column: 1011 }), undefined)
    assert.equal(await named('x[\'a\0b\'] = () => {}', frameAt(URL, 'x[\'a\0b\'] = () => {}', '()')), "x['a\0b']")
  })

  test('a huge file, a folder, a device, a pipe without a writer', async t => {
    const folder = temporaryFolder(t)
    const huge = join(folder, 'huge.js')
    writeFileSync(huge, `${CODE}\n//${'x'.repeat(65 * 2 ** 20)}`)
    const pipe = join(folder, 'pipe.js')
    execFileSync('mkfifo', [pipe])
    for (const file of [huge, folder, '/dev/zero', pipe]) {
      const frame = await resolveOne({ ...frameAt('', CODE, '() {}', 'b'), url: pathToFileURL(file).href })
      assert.equal(frame.source, undefined, file)
    }
    const read = await resolveOne({ ...frameAt('', CODE, '() {}', 'b'), url: pathToFileURL(huge).href }, undefined, { limits: { file: 2 ** 27 } })
    assert.equal(read.source?.name, 'A.b')
  })

  test('addresses of anything', async () => {
    for (const url of ['file://host/a.js', 'file:///%00', 'file:///%2F', 'data:text/javascript,1', 'evalmachine.<anonymous>', 'x', 'https://a/b.js', 'wasm://wasm/1']) {
      const { profile, notes } = await resolveSources(profileOf([{ url, name: 'f' }]))
      assert.deepEqual([profile.frames[0]?.source, notes], [undefined, []], url)
    }
  })
})

describe('resolveSources', () => {
  const code = 'const o = { f () {} }, p = { f () {} }'
  const first = frameAt('file:///a.js', code, '() {} },', 'f')
  const second = { ...first, column: code.lastIndexOf('()') + 1 }
  const readFile = filesOf({ '/a.js': code })

  test('keeps frames and their order, and changes nothing that it was given', async () => {
    const profile = profileOf([first, second, { name: '(root)', line: 0, column: 0 }])
    const copy = structuredClone(profile)
    const resolved = (await resolveSources(profile, { readFile })).profile
    assert.deepEqual(profile, copy)
    assert.deepEqual(resolved.frames.map(({ source }) => source), [{ name: 'o.f' }, { name: 'p.f' }, undefined])
    assert.deepEqual(resolved.frames.map(({ source, ...frame }) => frame), profile.frames)
  })

  test('looks at the frames that were asked for, the first ones first', async () => {
    const only = (await resolveSources(profileOf([first, second]), { readFile, only: [1, 99] })).profile
    assert.deepEqual(only.frames.map(({ source }) => source?.name), [undefined, 'p.f'])
    const files = filesOf({ '/a.js': code, '/b.js': code })
    const frames = [first, { ...first, url: 'file:///b.js' }]
    const { profile } = await resolveSources(profileOf(frames), { readFile: files, only: [1, 0], limits: { parseInAll: code.length } })
    assert.deepEqual(profile.frames.map(({ source }) => source?.name), [undefined, 'o.f'])
  })
})

test('importing @geordi/profile loads no parser', () => {
  const waiting = [new globalThis.URL('../src/index.js', import.meta.url)]
  const seen = new Set<string>()
  for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
    if (seen.has(file.href)) continue
    seen.add(file.href)
    for (const [, name] of readFileSync(file, 'utf8').matchAll(/(?:from|import) ["']([^"']+)["']/g)) {
      if (name!.startsWith('.')) waiting.push(new globalThis.URL(name!, file))
      else assert.match(name!, /^node:/, file.href)
    }
  }
  assert.ok(seen.size > 5)
})

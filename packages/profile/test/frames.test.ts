import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { classify, frameLocation, functionName, type Frame, type FrameKind, type Run } from '../src/index.ts'

const run: Run = { process: { hostname: 'h', pid: 1, node: 'v20.0.0', root: '/srv/app' } }

function at (url: string, line = 12, name = 'f'): Frame {
  return { name, url, line, column: 1 }
}

const PNPM = 'file:///srv/app/node_modules/.pnpm/@fastify+cookie@9.4.0_fastify@5.0.0/node_modules/@fastify/cookie/plugin.js'
const YARN = 'file:///srv/app/.yarn/cache/left-pad-npm-1.3.0-0123456789-abcdef0123.zip/node_modules/left-pad/index.js'

test('a name that nobody would see is none', () => {
  for (const name of ['', ' ', '\n\u2028\t']) assert.equal(functionName(at('file:///srv/app/a.js', 3, name)), '(anonymous)')
  assert.equal(functionName(at('file:///srv/app/a.js', 3, ' f')), ' f')
})

describe('classify', () => {
  const cases: Array<[string, Frame, FrameKind]> = [
    ['the root', at('', 0, '(root)'), 'root'],
    ['idle time', at('', 0, '(idle)'), 'idle'],
    ['V8 itself', at('', 0, '(program)'), 'program'],
    ['the garbage collector', at('', 0, '(garbage collector)'), 'gc'],
    ['a function that took a marker\'s name', at('file:///srv/app/a.js', 1, '(idle)'), 'app'],
    ['a regular expression', at('', 0, 'RegExp: ^(a+)+$'), 'native'],
    ['a binding', at('', 0, 'readFileUtf8'), 'native'],
    ['WebAssembly', at('wasm://wasm/0012ab'), 'native'],
    ['Node', at('node:internal/timers'), 'node'],
    ['an old Node\'s script', at('internal/timers.js'), 'node'],
    ['an old Node\'s module', at('fs.js'), 'node'],
    ['a script of that looks', at('server.js'), 'app'],
    ['the application', at('file:///srv/app/src/a.js'), 'app'],
    ['a script outside of the application', at('file:///srv/other/a.js'), 'dependency'],
    ['a folder that only begins like the application\'s', at('file:///srv/apples/a.js'), 'dependency'],
    ['a package', at('file:///srv/app/node_modules/fastify/fastify.js'), 'dependency'],
    ['pnpm', at(PNPM), 'dependency'],
    ['Yarn', at(YARN), 'dependency'],
    ['Yarn Plug\'n\'Play', at('file:///srv/app/.pnp.cjs'), 'dependency'],
    ['evaluated code', at('evalmachine.<anonymous>'), 'app'],
    ['a bundler\'s package', at('webpack://shop/./node_modules/lodash/map.js'), 'dependency']
  ]
  for (const [what, frame, kind] of cases) test(what, () => assert.equal(classify(frame, run), kind))

  test('an application that is itself in a node_modules folder', () => {
    const inside: Run = { process: { hostname: 'h', pid: 1, node: 'v20.0.0', root: '/opt/node_modules/shop' } }
    assert.equal(classify(at('file:///opt/node_modules/shop/a.js'), inside), 'app')
    assert.equal(classify(at('file:///opt/node_modules/shop/node_modules/x/a.js'), inside), 'dependency')
  })

  test('without a root all that is no package is the application', () => {
    assert.equal(classify(at('file:///srv/other/a.js')), 'app')
    assert.equal(classify(at('file:///srv/app/node_modules/fastify/fastify.js')), 'dependency')
  })
})

describe('frameLocation', () => {
  const cases: Array<[string, Frame, string]> = [
    ['the application, from its root', at('file:///srv/app/src/a.js', 30), 'src/a.js:30'],
    ['outside of it, the last folders', at('file:///home/me/lib/deep/in/x.js', 3), 'deep/in/x.js:3'],
    ['a package', at('file:///srv/app/node_modules/fastify/lib/reply.js'), 'fastify/lib/reply.js:12'],
    ['a package in a package', at('file:///srv/app/node_modules/a/node_modules/@s/b/x.js'), '@s/b/x.js:12'],
    ['pnpm', at(PNPM), '@fastify/cookie/plugin.js:12'],
    ['Node', at('node:fs', 20), 'node:fs:20'],
    ['an old Node', at('internal/timers.js', 20), 'node:internal/timers:20'],
    ['a binding', at('', 0, 'readFileUtf8'), 'native'],
    ['a regular expression', at('', 0, 'RegExp: a'), 'regular expression'],
    ['the garbage collector', at('', 0, '(garbage collector)'), 'V8'],
    ['WebAssembly', at('wasm://wasm/0012ab', 1), 'WebAssembly'],
    ['an unknown line', at('file:///srv/app/a.js', 0), 'a.js'],
    ['encoded letters', at('file:///srv/app/%C3%A9t%C3%A9%20x.js'), 'été x.js:12'],
    ['letters that only look encoded', at('file:///srv/app/100%.js'), '100%.js:12'],
    ['Windows', at('file:///C:/code/app/x.js'), 'code/app/x.js:12'],
    ['evaluated code', at('evalmachine.<anonymous>', 1), 'evalmachine.<anonymous>:1']
  ]
  for (const [what, frame, text] of cases) test(what, () => assert.equal(frameLocation(frame, run).text, text))

  test('packages have their names and, in pnpm\'s store and Yarn\'s cache, versions', () => {
    assert.deepEqual(frameLocation(at(PNPM)), { packageName: '@fastify/cookie', packageVersion: '9.4.0', text: '@fastify/cookie/plugin.js:12' })
    assert.deepEqual(frameLocation(at(YARN)), { packageName: 'left-pad', packageVersion: '1.3.0', text: 'left-pad/index.js:12' })
    assert.deepEqual(frameLocation(at('file:///srv/app/node_modules/x/y.js')), { packageName: 'x', text: 'x/y.js:12' })
    assert.equal(frameLocation(at('file:///srv/app/a.js')).packageName, undefined)
  })

  test('is never longer than 60 characters, whatever the URL, and keeps the line', () => {
    const hostile = ['file:///srv/app/' + 'folder/'.repeat(2000) + 'x.js', 'file:///srv/app/' + 'x'.repeat(10_000), 'node:' + 'x'.repeat(500),
      'file:///srv/app/node_modules/@' + 'scope'.repeat(50) + '/' + 'name'.repeat(50) + '/' + 'file'.repeat(50), 'webpack://' + '/'.repeat(9999),
      'file:///\0\uD800%00', 'file://', 'node:', 'data:text/javascript,' + 'y'.repeat(10_000)]
    for (const url of hostile) {
      const { text } = frameLocation(at(url, 123_456), run)
      assert.ok(text.length <= 60, `${text.length}: ${text}`)
      assert.ok(text.endsWith(':123456'), text)
    }
  })

  test('leaves out folders in the middle first', () => {
    const { text } = frameLocation(at(`file:///srv/app/node_modules/typescript/${'deep/'.repeat(20)}last/checker.js`))
    assert.match(text, /^typescript\/…\/(?:deep\/)+last\/checker\.js:12$/)
  })
})

import assert from 'node:assert/strict'
import { AsyncLocalStorage, createHook } from 'node:async_hooks'
import childProcess, { exec, execFileSync, spawn } from 'node:child_process'
import fs from 'node:fs'
import { readFile } from 'node:fs/promises'
import http, { request } from 'node:http'
import { createRequire } from 'node:module'
import net, { connect } from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import vm, { runInNewContext } from 'node:vm'
import zlib, { gzipSync } from 'node:zlib'
import { timeout } from '../src/index.ts'

const require = createRequire(import.meta.url)
const timers = require('node:timers') as typeof import('node:timers')
const captured = { gzipSync, connect, request, spawn, runInNewContext }
const timer = setTimeout(() => {}, 0)
const nowhere = { host: '127.0.0.1', port: 1 }
const spin = (): never => { for (;;); }

/** What would leave Node in disorder if it were interrupted, reached in all ways. */
const REFUSED: Record<string, () => unknown> = {
  setTimeout: () => setTimeout(() => {}, 1),
  setInterval: () => setInterval(() => {}, 1),
  setImmediate: () => setImmediate(() => {}),
  'setTimeout of node:timers': () => timers.setTimeout(() => {}, 1),
  'setImmediate of node:timers': () => timers.setImmediate(() => {}),
  'refresh of a timer': () => timer.refresh(),
  'ref of a timer': () => timer.ref(),
  'unref of a timer': () => timer.unref(),
  'close of a timer': () => timer.close(),
  'enable of async hooks': () => createHook({}).enable(),
  'disable of async hooks': () => createHook({}).disable(),
  clearTimeout: () => { clearTimeout(undefined) },
  clearInterval: () => { clearInterval(undefined) },
  clearImmediate: () => { clearImmediate(undefined) },
  'AbortSignal.timeout': () => AbortSignal.timeout(1000),
  gzipSync: () => zlib.gzipSync('text'),
  'gzipSync, a named import': () => gzipSync('text'),
  'gzipSync, captured': () => captured.gzipSync('text'),
  gunzipSync: () => zlib.gunzipSync(Buffer.alloc(20)),
  brotliCompressSync: () => zlib.brotliCompressSync('text'),
  brotliDecompressSync: () => zlib.brotliDecompressSync('text'),
  'gzip with a callback': () => { zlib.gzip('text', () => {}) },
  createDeflate: () => zlib.createDeflate(),
  DecompressionStream: () => new DecompressionStream('gzip'),
  fetch: () => fetch('http://127.0.0.1:1/'),
  'http.request': () => http.request(nowhere),
  'http.get': () => http.get({ ...nowhere, agent: false }),
  'http.request, a named import': () => request(nowhere),
  'net.connect': () => net.connect(nowhere),
  'net.connect, a named import': () => connect(nowhere),
  'net.connect, captured': () => captured.connect(nowhere),
  'Socket.connect': () => new net.Socket().connect(nowhere),
  'child_process.spawn': () => childProcess.spawn('/nowhere'),
  'child_process.exec': () => exec('/nowhere'),
  'child_process.spawn, captured': () => captured.spawn('/nowhere'),
  'vm timeout in this context': () => vm.runInThisContext('1', { timeout: 5 }),
  'vm timeout in a new context': () => vm.runInNewContext('1', {}, { timeout: 5 }),
  'vm timeout in a context': () => vm.runInContext('1', vm.createContext(), { timeout: 5 }),
  'vm timeout, captured': () => captured.runInNewContext('1', {}, { timeout: 5 }),
  'vm timeout of a script': () => new vm.Script('1').runInThisContext({ timeout: 5 }),
  'loading a module of Node': () => require('node:trace_events'),
  'loading a module of Node by another way': () => process.getBuiltinModule?.('node:inspector/promises') ?? require('node:inspector/promises')
}

describe('timeout.sync refuses', () => {
  for (const [name, body] of Object.entries(REFUSED)) {
    it(name, async () => {
      const refused = { code: 'GEORDI_BOX_REFUSED', name: 'BoxError', message: /refused in `timeout\.sync`: if it were interrupted, / }
      assert.throws(() => timeout.sync(60_000, body), refused)
      assert.throws(() => timeout.sync(60_000, () => timeout.sync(70_000, body)), refused)
      assert.throws(() => timeout.sync(60_000, () => timeout.sync(50_000, body)), refused)
      await sleep(0) // nothing was begun, so nothing surfaces
    })
  }

  it('the loading of a module, and it can be loaded as a whole after that', () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'interruptingcow-'))
    try {
      const file = path.join(folder, 'module.cjs')
      fs.writeFileSync(file, 'exports.half = true; for (const until = Date.now() + 5; Date.now() < until;); exports.whole = true')
      assert.throws(() => timeout.sync(60_000, () => require(file)), { code: 'GEORDI_BOX_REFUSED', message: /Load it before the box/ })
      assert.equal(require(file).whole, true)
      assert.equal(timeout.sync(60_000, () => require(file).whole), true)
      assert.equal(timeout.sync(60_000, () => require('node:fs')), fs)
      // A cleanup may load one: interrupted in the middle of it, it is forgotten.
      fs.writeFileSync(file, 'exports.half = true; while (!globalThis.mayLoad); exports.whole = true')
      delete require.cache[file]
      assert.throws(() => timeout.sync(60_000, box => { box.defer(() => require(file)) }, { cleanupLimit: 20 }), { code: 'GEORDI_BOX_CLEANUP_TIMEOUT' })
      Object.assign(globalThis, { mayLoad: true })
      assert.equal(require(file).whole, true)
    } finally {
      fs.rmSync(folder, { recursive: true, force: true })
    }
  })

  it('import() and node:fs/promises, which reject', async () => {
    const file = import.meta.filename
    const begin: ReadonlyArray<() => Promise<unknown>> = [() => import('node:fs'), () => readFile(file), () => fs.promises.stat(file)]
    for (const body of begin) {
      let begun: Promise<unknown> | undefined
      timeout.sync(60_000, () => { begun = body() })
      await assert.rejects(begun!, { code: 'GEORDI_BOX_REFUSED' })
      await body()
    }
  })

  it('not what Node itself begins in the middle of something', () => {
    const server = timeout.sync(60_000, () => http.createServer())
    server.close()
    assert.equal(timeout.sync(60_000, () => new AsyncLocalStorage<number>().run(5, () => 6)), 6)
    assert.match(timeout.sync(60_000, () => fs.readFileSync(import.meta.filename, 'utf8')), /Node itself/)
  })

  it('nothing in its cleanups, so that a pool or a lock may use a timer', async () => {
    for (const body of [() => 1, spin, () => { timeout.sync(1000, spin) }]) {
      const fired = new Promise(resolve => {
        // Again, where the machine was too busy to get that far.
        for (let registered = false; !registered;) {
          try {
            timeout.sync(20, box => {
              box.defer(() => { setTimeout(resolve, 1) })
              box.defer(() => zlib.gzipSync('text'))
              registered = true
              body()
            })
          } catch {}
        }
      })
      await fired
    }
    // The inner box's cleanup is none of the outer one's body either.
    await new Promise<void>(resolve => {
      timeout.sync(60_000, () => {
        timeout.sync(50_000, box => { box.defer(() => { setTimeout(resolve, 1) }) })
        timeout.sync(70_000, box => { box.defer(() => { clearTimeout(undefined) }) })
        assert.throws(() => { setTimeout(resolve, 1) }, { code: 'GEORDI_BOX_REFUSED' })
      })
    })
  })

  it('nothing without a limit', async () => {
    await new Promise(resolve => { timeout.sync(Infinity, () => { setTimeout(resolve, 1) }) })
    await new Promise(resolve => { timeout.sync(Infinity, () => { timeout.sync(Infinity, () => { setTimeout(resolve, 1) }) }) })
  })

  it('nothing after the box, in whatever way it ended', async () => {
    const spies = () => [setTimeout, timer.refresh, setImmediate, clearTimeout, fetch, AbortSignal.timeout, timers.setTimeout, net.Socket.prototype.connect,
      Reflect.get(http.Agent.prototype, 'addRequest'), vm.Script.prototype.runInContext, Reflect.get(childProcess.ChildProcess.prototype, 'spawn'), process.stdout.write, Object.hasOwn(process.stderr, 'write')]
    timeout.sync.prepare()
    const before = spies()
    for (const body of [() => 1, spin, () => { throw new Error('thrown') }, () => { setTimeout(() => {}, 1) }, () => { timeout.sync(1, spin) }, () => { timeout.sync(1000, spin) }]) {
      try { timeout.sync(20, body) } catch {}
      assert.deepEqual(spies(), before)
    }
    assert.equal(zlib.gunzipSync(gzipSync('text')).toString(), 'text')
    assert.equal(vm.runInNewContext('1 + 1', {}, { timeout: 60_000 }), 2)
    await assert.rejects(fetch('http://127.0.0.1:1/'))
    await assert.rejects(new Promise((_resolve, reject) => { http.get(nowhere).on('error', reject) }), { code: 'ECONNREFUSED' })
  })

  it('what somebody else has put in the place of a function, and puts that back', () => {
    const original = globalThis.fetch
    const mine = async () => new Response('mine')
    globalThis.fetch = mine
    try {
      assert.throws(() => timeout.sync(60_000, () => fetch('http://127.0.0.1:1/')), { code: 'GEORDI_BOX_REFUSED' })
      assert.equal(globalThis.fetch, mine)
      // What the body itself puts there stays, too.
      timeout.sync(60_000, () => { globalThis.fetch = original })
      assert.equal(globalThis.fetch, original)
    } finally {
      globalThis.fetch = original
    }
  })

  it('not what can be interrupted: processes waited for, contexts without a timeout, modules that are loaded', () => {
    assert.equal(timeout.sync(60_000, () => execFileSync(process.execPath, ['-p', '1'], { encoding: 'utf8' }).trim()), '1')
    assert.equal(timeout.sync(60_000, () => vm.runInNewContext('1 + 1')), 2)
    assert.equal(timeout.sync(60_000, () => vm.runInThisContext('1 + 1', 'file.js')), 2)
  })
})

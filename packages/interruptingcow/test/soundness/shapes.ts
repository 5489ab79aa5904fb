import { AsyncLocalStorage, AsyncResource } from 'node:async_hooks'
import { execFileSync } from 'node:child_process'
import { Console } from 'node:console'
import { createHash, pbkdf2, pbkdf2Sync, randomBytes } from 'node:crypto'
import diagnosticsChannel from 'node:diagnostics_channel'
import { lookup } from 'node:dns'
import { EventEmitter, once } from 'node:events'
import fs from 'node:fs'
import http from 'node:http'
import { createRequire } from 'node:module'
import { Writable } from 'node:stream'
import { clearImmediate, setImmediate } from 'node:timers'
import { inspect } from 'node:util'
import vm from 'node:vm'
import zlib from 'node:zlib'
import { timeout } from '../../src/index.ts'

/** Interrupts a body once; throws where it was not interrupted. */
export type Interrupt = (body: () => unknown) => void

/** A place or a body: interrupts once, and resolves when that is over. */
export type Shape = (interrupt: Interrupt) => void | Promise<void>

const require = createRequire(import.meta.url)
const store = new AsyncLocalStorage<string>()

const spin = () => { for (;;); }

/** Waits for a callback in which an interruption happens. */
function inCallback (schedule: (callback: () => void) => void, interrupt: Interrupt): Promise<void> {
  return new Promise((resolve, reject) => {
    schedule(() => {
      try {
        interrupt(spin)
        resolve()
      } catch (error) {
        reject(error)
      }
    })
  })
}

function * endless (): Generator<number> {
  for (let i = 0; ; i++) yield i
}

/** Where a box may stand. */
export const PLACES: Readonly<Record<string, Shape>> = {
  'at the top': interrupt => { interrupt(spin) },
  'inside AsyncLocalStorage.run': interrupt => { store.run('inside', () => { interrupt(spin) }) },
  'inside AsyncResource.runInAsyncScope': interrupt => { new AsyncResource('Shape').runInAsyncScope(() => { interrupt(spin) }) },
  'in a timer': interrupt => inCallback(callback => { setTimeout(callback, 1) }, interrupt),
  'in an immediate': interrupt => inCallback(callback => { setImmediate(callback) }, interrupt),
  'in process.nextTick': interrupt => inCallback(callback => { process.nextTick(callback) }, interrupt),
  'in a promise continuation': async interrupt => {
    await null
    interrupt(spin)
  },
  'in queueMicrotask': interrupt => inCallback(callback => { queueMicrotask(callback) }, interrupt),
  'in a callback of the file system': interrupt => inCallback(callback => { fs.stat('.', callback) }, interrupt),
  'in an http handler': interrupt => inCallback(callback => {
    const server = http.createServer((_request, response) => {
      callback()
      response.end()
      server.close()
    })
    server.listen(0, '127.0.0.1', () => {
      http.get({ port: (server.address() as { port: number }).port, host: '127.0.0.1', agent: false }, response => { response.resume() })
    })
  }, interrupt),
  'in a generator': interrupt => {
    const generator = (function * () { interrupt(spin); yield 1; interrupt(spin) })()
    generator.next()
    generator.next()
  },
  'in a native callback': interrupt => { [2, 1].sort(() => { interrupt(spin); return 0 }) },
  'in an event': interrupt => { new EventEmitter().on('event', () => { interrupt(spin) }).emit('event') },
  'in a vm context': interrupt => { vm.runInNewContext('call()', { call: () => { interrupt(spin) } }) },
  'in an asynchronous box': async interrupt => { await timeout(10_000, () => { interrupt(spin) }) },
  'in another box': interrupt => { timeout.sync(10_000, () => { interrupt(spin) }) },
  'in a box in a box, all of them late': interrupt => {
    interrupt(() => timeout.sync(10_000, () => timeout.sync(20_000, spin)))
  },
  'around a box with the same deadline': interrupt => { interrupt(() => { for (;;) { try { timeout.sync(3, spin) } catch {} } }) },
  'around boxes that are interrupted': interrupt => { interrupt(() => { for (;;) { try { timeout.sync(1, spin) } catch {} } }) }
}

/** A box, the body of which repeats something until it is interrupted. */
const repeat = (step: () => unknown): Shape => interrupt => { interrupt(() => { for (;;) step() }) }

/** What a body may be in the middle of. */
export const BODIES: Readonly<Record<string, Shape>> = {
  'a regex, first execution': interrupt => {
    interrupt(() => new RegExp(`^(a+)+$|${Math.random()}`).test('a'.repeat(40) + 'b'))
  },
  'a regex, later execution': interrupt => { interrupt(() => EVIL.test('a'.repeat(40) + 'b')) },
  'a replacement by a function': interrupt => { interrupt(() => 'a'.replace(/a/, spin)) },
  'a sort with an endless comparator': interrupt => { interrupt(() => [3, 1, 2].sort(spin)) },
  'Array.from of an endless generator': interrupt => { interrupt(() => Array.from(endless())) },
  'Atomics.wait': interrupt => { interrupt(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)) },
  'deep recursion': interrupt => {
    const recurse = (): void => { try { recurse() } finally { recurse() } }
    interrupt(recurse)
  },
  'a catch-all': interrupt => { interrupt(() => { for (;;) { try { spin() } catch {} finally { spin() } } }) },
  'a proxy': interrupt => { interrupt(() => new Proxy({} as { a: 1 }, { get: spin }).a) },
  'a class being defined': interrupt => { interrupt(() => class { static { spin() } }) },
  'an async function before its first await': interrupt => { interrupt(() => { const run = async () => { spin() }; run() }) },
  'AsyncLocalStorage.run': repeat(() => store.run('inside', () => store.getStore())),
  'AsyncLocalStorage.run, loop inside': interrupt => { interrupt(() => store.run('inside', spin)) },
  'AsyncLocalStorage.enterWith': interrupt => { interrupt(() => { store.enterWith('inside'); spin() }) },
  'AsyncLocalStorage.exit': interrupt => { interrupt(() => store.exit(spin)) },
  'AsyncLocalStorage.snapshot': interrupt => { interrupt(() => { store.run('inside', () => AsyncLocalStorage.snapshot())(spin) }) },
  'AsyncLocalStorage.bind': interrupt => { interrupt(AsyncLocalStorage.bind(spin)) },
  'AsyncResource.runInAsyncScope': repeat(() => new AsyncResource('Shape').runInAsyncScope(() => 1)),
  'AsyncResource.runInAsyncScope, loop inside': interrupt => { interrupt(() => new AsyncResource('Shape').runInAsyncScope(spin)) },
  'three scopes deep': interrupt => {
    const scope = (depth: number): void => { new AsyncResource('Shape').runInAsyncScope(depth === 0 ? spin : () => { scope(depth - 1) }) }
    interrupt(() => { scope(2) })
  },
  'domain.run': interrupt => {
    const domain = require('node:domain').create()
    interrupt(() => domain.run(spin))
  },
  'a vm context': interrupt => { interrupt(() => vm.runInNewContext('for (;;);')) },
  'the promise job loop of a vm context': interrupt => {
    interrupt(() => vm.runInContext('(async () => { for (;;) await null })()', vm.createContext({}, { microtaskMode: 'afterEvaluate' })))
  },
  'promises being made': repeat(() => { Promise.resolve(1).then(() => {}) }),
  'process.nextTick': repeat(() => { if (Math.random() < 0.01) process.nextTick(() => {}) }),
  'events emitted': repeat(() => new EventEmitter().once('event', () => {}).emit('event')),
  'an EventTarget': interrupt => {
    const target = new EventTarget()
    target.addEventListener('event', spin)
    interrupt(() => target.dispatchEvent(new Event('event')))
  },
  AbortController: repeat(() => { new AbortController().abort() }),
  'errors of Node itself': repeat(() => { try { fs.openSync('/nowhere/at/all', 'r') } catch {} try { Buffer.alloc(-1) } catch {} }),
  'stack traces': repeat(() => new Error('only for its stack').stack),
  'files read': repeat(() => fs.readFileSync(import.meta.filename)),
  'directories listed': repeat(() => fs.readdirSync('.', { withFileTypes: true })),
  hashes: repeat(() => createHash('sha256').update('text').digest('hex')),
  'random bytes': repeat(() => randomBytes(16)),
  'short native calls': repeat(() => pbkdf2Sync('secret', 'salt', 10, 16, 'sha256')),
  buffers: repeat(() => Buffer.from('some text').toString('base64')),
  JSON: repeat(() => JSON.parse(JSON.stringify({ a: [1, 2, { b: 3 }] }))),
  structuredClone: repeat(() => structuredClone({ a: new Map([[1, 2]]) })),
  URL: repeat(() => new URL('http://host/path?query=1').searchParams.get('query')),
  'util.inspect': repeat(() => inspect({ a: { b: [1, 2, 3] } }, { depth: 5 })),
  'a stream being written': repeat(() => { new Writable({ write (_chunk, _encoding, done) { done() } }).end('text') }),
  // The call itself is not interrupted, it is when it returns.
  'processes waited for': interrupt => { interrupt(() => { for (;;) execFileSync('true') }) },
  'asynchronous reads begun': repeat(() => { if (Math.random() < 0.001) fs.readFile(import.meta.filename, () => {}) }),
  'asynchronous hashes begun': repeat(() => { if (Math.random() < 0.001) pbkdf2('secret', 'salt', 1, 16, 'sha256', () => {}) }),
  'host names looked up': repeat(() => { if (Math.random() < 0.01) lookup('127.0.0.1', () => {}) }),
  'a console': repeat(() => { NOWHERE.log('line %d', 1) }),
  'the standard output': async interrupt => {
    // Blank, because of what the child says as its result.
    interrupt(() => { for (;;) console.log('') })
    // Node 24 loses all that waits to be read where that was more than 1,048,576 writes, without boxes too (`write EINVAL`).
    if (process.stdout.writableNeedDrain) await once(process.stdout, 'drain')
  },
  'diagnostics channels': repeat(() => { CHANNEL.publish({}) }),
  'an object with a user\'s getters': interrupt => { interrupt(() => JSON.stringify({ get a () { return spin() } })) },
  'an iterator of a spread': interrupt => { interrupt(() => Math.max(...endless())) },
  'a tagged error with a trace of its own': repeat(() => { const holder = {}; Error.captureStackTrace(holder); return (holder as Error).stack }),
  'timers refused': repeat(() => { try { setTimeout(() => {}, 1) } catch {} try { TIMER.refresh() } catch {} }),
  'streams refused': repeat(() => { try { zlib.gzipSync('text') } catch {} }),
  'requests refused': repeat(() => { try { http.get({ host: '127.0.0.1', port: 1 }) } catch {} }),
  'boxes that are opened and closed': interrupt => {
    interrupt(() => { for (;;) timeout.sync(1000, box => { box.defer(() => {}) }) })
  },
  'WeakRef and finalization': repeat(() => { REGISTRY.register({}, 1); return new WeakRef({}).deref() })
}

/** Shapes that may leave the process in disorder and can't be told from others: the README says so, and these runs show that it is still so. */
export const UNSOUND: Readonly<Record<string, Shape>> = {
  // V8 of Node 24 sometimes compiles this without a check for interruptions: then nothing in the process ends it.
  'a loop that V8 takes for a short one': interrupt => {
    let i = 0
    interrupt(() => { for (;;) if (i++ < 1000) process.nextTick(() => {}) })
  },
  'timers through a named import': repeat(() => { clearImmediate(setImmediate(() => {})) }),
  'a stream of a file that is not there': repeat(() => { fs.createReadStream('/nowhere/at/all').on('error', () => {}) }),
  // Node asks JavaScript what to do about a rejection, and drops an interruption that comes then.
  'promises that reject': repeat(() => { Promise.reject(new Error('rejected')).catch(() => {}) }),
  'modules imported': repeat(() => { import('node:fs').catch(() => {}) })
}

const EVIL = /^(a+)+$/
const TIMER = setTimeout(() => {}, 0)
const CHANNEL = diagnosticsChannel.channel('shape')
CHANNEL.subscribe(() => {})
const NOWHERE = new Console(new Writable({ write (_chunk, _encoding, done) { done() } }))
const REGISTRY = new FinalizationRegistry(() => {})

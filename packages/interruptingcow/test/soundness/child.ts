import assert from 'node:assert/strict'
import { AsyncLocalStorage, createHook, executionAsyncId, triggerAsyncId } from 'node:async_hooks'
import crypto from 'node:crypto'
import fs from 'node:fs'
import http from 'node:http'
import { promisify } from 'node:util'
import zlib from 'node:zlib'
import { timeout, TimeoutError } from '../../src/index.ts'
import { BODIES, type Interrupt, PLACES, UNSOUND } from './shapes.ts'

/*
 * Interrupts one shape again and again, and sees to it that this process goes on as ever:
 * node child.js SHAPE REPETITIONS. It prints SOUND and comes to its own end where it does.
 */
const [name = '', repetitions = '1', hooks = ''] = process.argv.slice(2)
const shape = { ...PLACES, ...BODIES, ...UNSOUND }[name]
assert.ok(shape !== undefined, `no shape "${name}"`)

const outside = new AsyncLocalStorage<object>()
if (hooks === 'hooks') createHook({ init () {}, before () {}, after () {}, destroy () {} }).enable()
timeout.sync.prepare()

let interruptions = 0
const interrupt: Interrupt = body => {
  const before = state()
  assert.throws(() => timeout.sync(1 + interruptions % 3, body), TimeoutError)
  assert.deepEqual(state(), before, 'the state around the box has changed')
  interruptions++
}

function state (): unknown[] {
  return [executionAsyncId(), triggerAsyncId(), outside.getStore(), Error.stackTraceLimit, process.listenerCount('uncaughtException'),
    (process as { domain?: unknown }).domain ?? null]
}

/** Everything that a request may use. */
async function normalWork (): Promise<void> {
  const marker = {}
  await outside.run(marker, async () => {
    await new Promise(resolve => { setTimeout(resolve, 1) })
    await new Promise(resolve => { setImmediate(resolve) })
    await new Promise<void>(resolve => { process.nextTick(resolve) })
    assert.equal((await fs.promises.readFile(import.meta.filename)).length, fs.readFileSync(import.meta.filename).length)
    assert.equal((await promisify(crypto.pbkdf2)('secret', 'salt', 10, 16, 'sha256')).length, 16)
    assert.equal(zlib.gunzipSync(await promisify(zlib.gzip)('text')).toString(), 'text')
    await request()
    assert.equal(outside.getStore(), marker)
    assert.equal(timeout.sync(60_000, () => 7), 7)
    assert.equal(await timeout(60_000, async () => 8), 8)
  })
}

async function request (): Promise<void> {
  const server = http.createServer((_request, response) => { response.end('answer') })
  await new Promise<void>(resolve => { server.listen(0, '127.0.0.1', resolve) })
  try {
    const response = await fetch(`http://127.0.0.1:${(server.address() as { port: number }).port}/`, { headers: { connection: 'close' } })
    assert.equal(await response.text(), 'answer')
  } finally {
    server.close()
    server.closeAllConnections()
  }
}

process.on('uncaughtException', error => {
  console.log(`UNSOUND ${error.stack}`)
  process.exit(1)
})

await normalWork()
for (let i = 1; i <= Number(repetitions); i++) {
  await outside.run({}, () => shape(interrupt))
  assert.equal(outside.getStore(), undefined)
  if (i % 100 === 0) await normalWork()
}
await normalWork()
assert.ok(interruptions >= Number(repetitions))
console.log('SOUND')

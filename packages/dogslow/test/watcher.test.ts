import assert from 'node:assert/strict'
import { Writable } from 'node:stream'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Worker } from 'node:worker_threads'
import { atEnd, burn, start, until } from './support.ts'

test('a thread that dies is started anew, some times an hour; the app goes on without it', async t => {
  const threads: Worker[] = []
  const started = (thread: Worker) => { threads.push(thread) }
  process.on('worker', started)
  atEnd(t, () => process.off('worker', started))
  let log = ''
  const stream = new Writable({ write: (chunk, _encoding, done) => { log += String(chunk); done() } })
  const running = await start(t, { log: false, repeatAfter: 0, perMinute: 1000 }, app => {
    app.get('/wait', async () => { await sleep(200) })
    app.get('/block', async () => { burn() })
  }, { logger: { stream } })
  const died = () => log.split('dogslow\'s thread died').length - 1
  // What no thread expects of its own side.
  const kill = async () => {
    const before = died()
    threads.at(-1)!.postMessage({ type: 'chunk', buffer: null })
    await until(() => died() > before)
  }
  await kill()
  await until(() => threads.length >= 2)
  // While the new one comes up, nothing is lost but what blocks the main thread.
  assert.equal(await running.ask('/wait'), 200)
  await until(() => running.reports().find(({ kind }) => kind === 'waiting'))
  assert.equal(await running.ask('/block'), 200)
  await until(() => running.reports().find(({ kind }) => kind === 'blocked'))
  for (let turn = 0; turn < 3; turn++) await kill()
  assert.equal(threads.length, 4)
  assert.match(log, /from now on nothing is reported/)
  assert.equal(await running.ask('/wait'), 200)
})

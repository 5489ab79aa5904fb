import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Report } from '@geordi/dogslow'
import { startChild } from './child.ts'
import { temporaryFolder, until } from './support.ts'

/** The app's own, but for the one that tells the test that all is ready. */
const functions = ({ stack }: Pick<Report, 'stack'>) => stack.filter(({ of, function: name }) => of === 'app' && name !== 'say').map(frame => frame.function)

for (const signal of ['SIGTERM', 'SIGINT', 'SIGABRT'] as const) {
  test(`${signal} with a request open: what it waits for is written, and the process ends by the signal`, async t => {
    const child = await startChild(t, {})
    await child.send('/wait?password=secret')
    child.signal(signal)
    assert.equal((await child.ended).signal, signal)
    const [report] = child.reports() as [Report]
    assert.deepEqual([report.kind, report.cause, report.requests.length], ['stopped', signal, 1])
    assert.deepEqual(report.requests[0]!.pending.map(({ statement, stack }) => [statement, stack[0]!.function]), [['setTimeout 3600000 ms', 'waitLong']])
    assert.match(report.summary, new RegExp(`^The process got ${signal} with 1 request open; GET /wait\\?password=\\*\\*\\*, running for \\d+ m?s, waiting \\d+ m?s for timer setTimeout 3600000 ms$|^The process got ${signal} with 1 request open.* in (say|waitLong) `))
  })

  test(`${signal} while the main thread hangs in a loop: the watcher writes where, and lets the process end`, async t => {
    const file = join(await temporaryFolder(t), 'dogslow.log')
    const child = await startChild(t, { file })
    await child.send('/wait')
    await child.send('/loop')
    child.signal(signal)
    assert.equal((await child.ended).signal, signal)
    const [report] = child.reports() as [Report]
    assert.deepEqual(functions(report).slice(0, 2), ['loopForEver', 'findUser'])
    // Who loops comes first, though others have been there for longer.
    assert.deepEqual(report.requests.map(({ url }) => url), ['/loop', '/wait'])
    assert.match(report.summary, /; among them GET \/loop, running for .* in (loopForEver|say) /)
    assert.deepEqual(JSON.parse(readFileSync(file, 'utf8')), report)
  })
}

test('SIGTERM while the main thread hangs in a blocking read: what is known is written all the same', async t => {
  const fifo = join(await temporaryFolder(t), 'pipe')
  execFileSync('mkfifo', [fifo])
  const child = await startChild(t, { fifo, threshold: 200 })
  await child.send('/pipe')
  // It is told only after the thread hasn't answered for a second.
  await until(() => child.reports().length >= 1)
  child.signal('SIGTERM')
  assert.equal((await child.ended).signal, 'SIGTERM')
  const [, report] = child.reports() as [Report, Report]
  assert.deepEqual([report.kind, report.cause, report.call?.name, report.call?.target], ['stopped', 'SIGTERM', 'readFileSync', fifo])
  assert.equal(functions(report)[0], 'readPipe')
  assert.equal(report.requests[0]!.url, '/pipe')
})

test('an app with a listener of its own gets the signal once, and decides', async t => {
  const child = await startChild(t, { own: true })
  await child.send('/wait')
  child.signal('SIGTERM')
  assert.equal((await child.ended).code, 7)
  assert.equal(child.output().split('\n').filter(line => line === 'the app got it').length, 1)
  assert.deepEqual(child.reports().map(({ cause }) => cause), ['SIGTERM', 'exit 7'])
})

test('with no request open a signal ends the process at once, without a word', async t => {
  const child = await startChild(t, {})
  child.signal('SIGTERM')
  assert.equal((await child.ended).signal, 'SIGTERM')
  assert.deepEqual(child.reports(), [])
})

test('an exit with requests open is reported: process.exit, and an error that nobody catches', async t => {
  for (const [path, code] of [['/exit', 3], ['/throw', 1]] as const) {
    const child = await startChild(t, {})
    await child.send('/wait')
    await child.send(path)
    assert.equal((await child.ended).code, code)
    const [report] = child.reports() as [Report]
    assert.deepEqual([report.cause, report.requests.map(({ url }) => url).includes('/wait')], [`exit ${code}`, true])
  }
})

test('an app without a logger, whose standard error nobody reads any more, lives on', async t => {
  const child = await startChild(t, { logger: false, threshold: 100 })
  child.closeStderr()
  await child.send('/wait')
  await until(() => child.output().includes('told report'))
  await child.send('/exit')
  assert.equal((await child.ended).code, 3)
})

test('a heap that is nearly full is reported before V8 ends the process: who fills it, and where', async t => {
  // Old objects become more by what is left of the young ones at a time: by 16 MiB at most up to Node 22, and by 64 since.
  const heap = Number(process.versions.node.split('.', 1)[0]) < 24 ? 128 : 1024
  const child = await startChild(t, { heap }, [`--max-old-space-size=${heap}`])
  await child.send('/wait')
  await child.send('/fill')
  const report = await until(() => child.reports()[0])
  assert.deepEqual([report.kind, report.requests[0]!.url], ['memory', '/fill'])
  // Interrupted in it, or in what it calls to see how full the heap is.
  assert.ok(functions(report).slice(0, 4).includes('fillHeap'), functions(report).join())
  assert.match(report.summary, /^The heap is nearly full \(\d+ MB of at most \d+ MB\) with 2 requests open; among them GET \/fill, running for .* in \S+ \(/)
})

test('SIGKILL after the threshold destroys nothing: the hanging request has been reported', async t => {
  const file = join(await temporaryFolder(t), 'dogslow.log')
  const child = await startChild(t, { file, threshold: 200 })
  await child.send('/loop')
  // The log is written first.
  await until(() => child.reports().length > 0 && existsSync(file) && readFileSync(file, 'utf8').endsWith('\n'))
  child.signal('SIGKILL')
  await child.ended
  const report = JSON.parse(readFileSync(file, 'utf8')) as Report
  assert.deepEqual([report.kind, functions(report)[0]], ['blocked', 'loopForEver'])
})

test('a blocking read, or a child process, is told by the call, its target and who calls', async t => {
  const fifo = join(await temporaryFolder(t), 'pipe')
  execFileSync('mkfifo', [fifo])
  const child = await startChild(t, { fifo, threshold: 200 })
  await child.send('/child')
  const waiting = await until(() => child.reports()[0])
  assert.deepEqual([waiting.kind, waiting.call?.name, waiting.call?.target, waiting.requests[0]!.url], ['blocked', 'execFileSync', 'sleep', '/child'])
  await until(() => child.output().includes('GET /child was answered with'))
  await child.send('/pipe')
  const reading = await until(() => child.reports()[1])
  assert.deepEqual([reading.kind, reading.call?.name, reading.call?.target, functions(reading)[0]], ['blocked', 'readFileSync', fifo, 'readPipe'])
})

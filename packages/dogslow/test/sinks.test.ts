import assert from 'node:assert/strict'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import http from 'node:http'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { test, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import * as Sentry from '@sentry/node'
import pino from 'pino'
import { SMTPServer } from 'smtp-server'
import type { DogslowEvent, DogslowOptions, Report } from '@geordi/dogslow'
import { atEnd, gate, listen, start, temporaryFolder, until, type Running } from './support.ts'

/** One slow request, and its end. */
async function beSlow (t: TestContext, options: DogslowOptions, server = {}): Promise<Running> {
  const running = await start(t, options, app => {
    app.get('/slow', async function handleSlow () { await sleep(300) })
  }, server)
  await running.ask('/slow?token=secret')
  await until(() => running.ends()[0])
  return running
}

test('the log: a line that warns, one for the end; both by the app\'s own logger', async t => {
  const lines: Array<Record<string, any>> = []
  const stream = new Writable({ write: (chunk, _encoding, done) => { lines.push(JSON.parse(String(chunk)) as Record<string, any>); done() } })
  const running = await beSlow(t, {}, { logger: { stream, redact: ['dogslow.process.host'] } })
  const told = await until(() => lines.filter(({ dogslow }) => dogslow !== undefined).length === 2 && lines.filter(({ dogslow }) => dogslow !== undefined))
  assert.deepEqual(told.map(({ level, msg }) => [level, msg]), [[40, running.reports()[0]!.summary], [30, running.ends()[0]!.summary]])
  assert.deepEqual([told[0]!.dogslow.kind, told[0]!.dogslow.process.host], ['waiting', '[Redacted]'])
})

test('the log of a blocked thread is written by the watcher, as a line of pino\'s, once', async t => {
  const file = join(await temporaryFolder(t), 'app.log')
  const loggerInstance = pino({ name: 'shop' }, pino.destination({ dest: file, sync: true }))
  const running = await start(t, { log: true }, app => {
    app.get('/block', async () => {
      // All in one turn: nothing of the main thread's can have been written.
      for (;;) {
        const written = readFileSync(file, 'utf8')
        if (/"dogslow".*\n$/.test(written)) return written
      }
    })
  }, { loggerInstance } as object)
  const answer = await (await fetch(`${running.origin}/block`)).text()
  const [line] = answer.split('\n').filter(part => part.includes('"dogslow"')).map(part => JSON.parse(part) as Record<string, any>)
  assert.deepEqual([line!.level, line!.name, line!.pid, line!.dogslow.kind], [40, 'shop', process.pid, 'blocked'])
  await until(() => running.ends()[0])
  assert.equal(readFileSync(file, 'utf8').split('"type":"report"').length - 1, 1)
})

test('a file gets one JSON a line, and is rotated', async t => {
  const folder = await temporaryFolder(t)
  const path = join(folder, 'slow.log')
  const running = await start(t, { file: { path, maxBytes: 6000, files: 3 }, repeatAfter: 0, perMinute: 1000 }, app => app.get('/', async () => { await sleep(200) }))
  await Promise.all(Array.from({ length: 5 }, () => running.ask('/')))
  await Promise.all(Array.from({ length: 5 }, () => running.ask('/')))
  await until(() => running.ends().length >= 10)
  assert.deepEqual(readdirSync(folder).sort(), ['slow.log', 'slow.log.1', 'slow.log.2'])
  for (const name of readdirSync(folder)) {
    const content = readFileSync(join(folder, name), 'utf8')
    assert.ok(content.length <= 6000)
    for (const line of content.trim().split('\n')) assert.ok(['report', 'end'].includes((JSON.parse(line) as DogslowEvent).type))
  }
})

test('a file on a full disk holds up no other sink, is complained of once, and gets the next report when there is room', async t => {
  const folder = await temporaryFolder(t)
  const path = join(folder, 'slow.log')
  symlinkSync('/dev/full', path)
  const lines: string[] = []
  const stream = new Writable({ write: (chunk, _encoding, done) => { lines.push(String(chunk)); done() } })
  const running = await start(t, { file: path, log: false, repeatAfter: 0 }, app => app.get('/:id', async () => { await sleep(200) }), { logger: { stream } })
  await running.ask('/full')
  await until(() => running.ends().length >= 1)
  assert.equal(lines.filter(line => line.includes('ENOSPC')).length, 1)
  rmSync(path)
  await running.ask('/room')
  await until(() => running.ends().length >= 2)
  const written = await until(() => existsSync(path) && readFileSync(path, 'utf8').split('\n').length === 3 && readFileSync(path, 'utf8'))
  assert.deepEqual(written.trim().split('\n').map(line => JSON.parse(line) as DogslowEvent), [running.reports()[1], running.ends()[1]])
})

test('mail goes by SMTP: the summary as its subject, the report as its text', async t => {
  const mails: string[] = []
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    onData: (stream, _session, done) => { text(stream).then(mail => { mails.push(mail); done() }, done) }
  })
  server.listen(0, '127.0.0.1')
  await once(server.server, 'listening')
  atEnd(t, () => new Promise<void>(resolve => { server.close(() => resolve()) }))
  const { port } = server.server.address() as { port: number }
  await beSlow(t, { mail: { transport: `smtp://127.0.0.1:${port}`, from: 'dogslow@example.org', to: ['ops@example.org', 'dev@example.org'] } })
  const mail = (await until(() => mails[0])).replaceAll('=\r\n', '')
  assert.match(mail, /^From: dogslow@example\.org\r\nTo: ops@example\.org, dev@example\.org\r\nSubject: \[dogslow\] GET \/slow/m)
  assert.match(mail, /waits for timer setTimeout 300 ms for/)
  assert.match(mail, /handleSlow \(/)
  assert.doesNotMatch(mail, /token=(3D)?secret/)
})

test('Sentry gets it by its SDK, grouped by the fingerprint', async t => {
  const envelopes: string[] = []
  const port = await listen(t, http.createServer((request, response) => {
    text(request).then(body => { envelopes.push(body); response.end('{}') }, () => {})
  }))
  Sentry.init({ dsn: `http://key@127.0.0.1:${port}/1`, defaultIntegrations: false })
  atEnd(t, () => Sentry.close(2000))
  const running = await beSlow(t, { sentry: true })
  const event = await until(() => envelopes.map(envelope => envelope.split('\n')).find(([, header]) => header?.includes('"type":"event"')))
  const { message, fingerprint, transaction, exception } = JSON.parse(event[2]!) as Record<string, any>
  const [report] = running.reports()
  assert.deepEqual([message, fingerprint, transaction], [report!.summary, ['dogslow', report!.fingerprint], 'GET /slow'])
  assert.equal(exception.values[0].stacktrace.frames.at(-1).function, 'handleSlow')
})

test('a webhook gets JSON with its headers', async t => {
  const got: Array<[http.IncomingHttpHeaders, DogslowEvent]> = []
  const port = await listen(t, http.createServer((request, response) => {
    text(request).then(body => { got.push([request.headers, JSON.parse(body) as DogslowEvent]); response.end() }, () => {})
  }))
  await beSlow(t, { webhook: { url: `http://127.0.0.1:${port}/hook`, headers: { authorization: 'Bearer x' } } })
  await until(() => got.length >= 2)
  assert.deepEqual(got.map(([headers, { type }]) => [headers['content-type'], headers.authorization, type]), [['application/json', 'Bearer x', 'report'], ['application/json', 'Bearer x', 'end']])
})

test('sinks that fail, or never end, hold up neither the others nor the request, and are complained of', async t => {
  const held = gate(t)
  const stuck = await listen(t, http.createServer((_request, response) => { held.wait().then(() => response.end(), () => {}) }))
  const lines: string[] = []
  const stream = new Writable({ write: (chunk, _encoding, done) => { lines.push(String(chunk)); done() } })
  const file = join(await temporaryFolder(t), 'no', 'such', 'folder')
  const running = await beSlow(t, {
    webhook: `http://127.0.0.1:${stuck}`,
    mail: { transport: 'smtp://127.0.0.1:1', from: 'a@example.org', to: 'b@example.org' },
    file,
    report: [() => { throw new Error('thrown') }, async () => { throw new Error('rejected') }]
  }, { logger: { stream } })
  const report = running.reports()[0]!
  assert.equal(report.requests[0]!.route, '/slow')
  for (const what of ['thrown', 'rejected', 'ENOENT', 'ECONNREFUSED']) await until(() => lines.find(line => line.includes(what) && line.includes('dogslow\'s sink')))
  held.open()
})

test('without a logger a report goes to standard error, as a text', async t => {
  const written: string[] = []
  const { write } = process.stderr
  process.stderr.write = ((chunk: string) => { written.push(chunk); return true }) as typeof write
  atEnd(t, () => { process.stderr.write = write })
  await beSlow(t, { log: true })
  await until(() => written.some(chunk => /^GET \/slow\?token=\*\*\* has been running for/.test(chunk)))
})

test('what a report tells of the process', async t => {
  const running = await beSlow(t, { link: '__geordi__' })
  const report = running.reports()[0] as Report
  assert.ok(Math.abs(Date.parse(report.time) - Date.now()) < 60_000 && report.time.endsWith('Z'))
  const { host, pid, node, open, eventLoop, memory } = report.process
  assert.deepEqual([typeof host, pid, node, open], ['string', process.pid, process.version, 1])
  assert.ok(memory.rss > memory.heapUsed! && eventLoop!.delay.max >= eventLoop!.delay.mean && eventLoop!.utilisation <= 1)
  const [request] = report.requests
  assert.deepEqual([request!.method, request!.route, request!.link], ['GET', '/slow', `${running.origin}/slow?token=***&__geordi__`])
  assert.match(request!.id, /^req-/)
  assert.match(report.fingerprint, /^[0-9a-f]{12}$/)
  assert.ok(!JSON.stringify(running.events).includes('secret'))
  const again = await running.ask('/slow')
  assert.equal(again, 200)
})

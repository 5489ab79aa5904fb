import assert from 'node:assert/strict'
import { Writable } from 'node:stream'
import { describe, it, type TestContext } from 'node:test'
import type { FastifyRequest } from 'fastify'
import type { AuditEvent } from '@geordi/fastify'
import { openBackend, RAW_PROFILE, REPORT } from '@geordi/replay'
import { ADMIN, ask, head, PATIENCE, queue, queueServer, raw, start, take, until, type AppOptions } from './support.ts'

const server = await queueServer()
const name = (request: FastifyRequest) => request.headers['x-name'] as string | undefined

async function app (t: TestContext, options: Partial<AppOptions> = {}) {
  let runs = 0
  const running = await start(t, server.url, app => { app.all('/*', async () => { runs++; return 'x' }) }, { identify: name, ...options })
  return { ...running, runs: () => runs }
}

describe('too many replays', () => {
  it('of one admin are answered with 429, Retry-After and words, in the form that is wanted', async t => {
    const { port, runs } = await app(t, { maxOpenPerAdmin: 2 })
    const headers = { 'x-name': 'picard' }
    for (let n = 0; n < 2; n++) await queue(port, '/work?__geordi__', { headers })
    for (const [accept, type] of [['text/html', /^text\/html/], ['application/json', /^application\/json/], ['*/*', /^text\/plain/]] as const) {
      const answer = await ask(port, '/work?__geordi__', { method: 'POST', accept, headers: { ...headers, 'content-type': 'text/plain' }, body: 'a body' })
      assert.equal(answer.status, 429)
      assert.match(answer.headers['retry-after']!, /^\d+$/)
      assert.match(answer.headers['content-type']!, type)
      assert.match(answer.text, /did not run\. No more than 2 replays of one person/)
    }
    assert.equal(runs(), 0)
    await queue(port, '/work?__geordi__', { headers: { 'x-name': 'riker' } })
  })

  it('in the queue are answered with 429', async t => {
    const { port } = await app(t, { maxQueued: 2 })
    for (const who of ['a', 'b']) await queue(port, '/work?__geordi__', { headers: { 'x-name': who } })
    const answer = await ask(port, '/work?__geordi__', { accept: 'application/json', headers: { 'x-name': 'c' } })
    assert.deepEqual([answer.status, JSON.parse(answer.text).code], [429, 'GEORDI_QUEUE_FULL'])
  })
})

describe('the place in the queue', () => {
  it('is on the page and in the JSON', async t => {
    const { port } = await app(t)
    await queue(port, '/first?__geordi__')
    const { url } = await queue(port, '/second?__geordi__')
    assert.match((await ask(port, url, { accept: 'text/html' })).text, /Queued at place 2 for /)
    assert.equal(JSON.parse((await ask(port, url, { accept: 'application/json' })).text).place, 2)
  })
})

describe('what is kept', () => {
  it('is looked after once a minute, though nobody asks for anything', async t => {
    t.mock.timers.enable({ apis: ['setInterval'] })
    const { port, name } = await app(t, { retentionCount: 1 })
    const old = await queue(port, '/old?__geordi__')
    await queue(port, '/new?__geordi__')
    const status = async () => (await ask(port, old.url, { accept: 'text/html' })).status
    const backend = await openBackend({ url: server.url, name, role: 'web', timeout: PATIENCE })
    t.after(() => backend.close())
    await backend.store.write(old.id, (await backend.store.read(old.id))!.record, true)
    assert.equal(await status(), 200)
    t.mock.timers.tick(60_000)
    await until(async () => await status() === 404)
  })
})

describe('the audit', () => {
  it('is told who captured, viewed and was refused what, when and from where, without a query', async t => {
    const events: AuditEvent[] = []
    const { port, name } = await app(t, { audit: event => { events.push(event) }, maxOpenPerAdmin: 1 })
    const headers = { 'x-name': 'picard' }
    const before = Date.now()
    const { id, url } = await queue(port, '/work?token=engage&a=1&__geordi__', { method: 'POST', headers })
    await ask(port, '/more?token=engage&__geordi__', { headers })
    for (let n = 0; n < 3; n++) await ask(port, url, { accept: 'text/html', headers })
    const task = await (await take(t, { url: server.url, name })).next()
    await task.attach(REPORT, Buffer.from('%PDF'))
    await task.attach(RAW_PROFILE, Buffer.from('{}'))
    await task.update({ state: 'done' })
    await ask(port, url, { accept: 'application/json', headers: { 'x-name': 'riker' } })
    for (let n = 0; n < 2; n++) await ask(port, `${url}/${REPORT}`, { headers })
    await ask(port, `${url}/${RAW_PROFILE}`, { headers: {} })
    await ask(port, url, { headers, admin: false })
    await ask(port, '/work?__geordi__', { headers, admin: false })
    const work = { method: 'POST', path: '/work', from: '127.0.0.1', id }
    assert.deepEqual(events.map(({ at, ...event }) => event), [
      { action: 'capture', who: 'picard', ...work },
      { action: 'refusal', who: 'picard', method: 'GET', path: '/more', from: '127.0.0.1', code: 'GEORDI_TOO_MANY_OPEN' },
      { action: 'view', who: 'picard', ...work },
      { action: 'view', who: 'riker', ...work },
      { action: 'view', who: 'picard', ...work, artefact: REPORT },
      { action: 'view', who: 'picard', ...work, artefact: REPORT },
      { action: 'view', ...work, artefact: RAW_PROFILE }
    ])
    for (const { at } of events) assert.ok(at >= before && at <= Date.now())
  })

  it('is a line in the app\'s log by default, without a secret', async t => {
    const { lines, stream } = logged()
    const { port } = await app(t, { server: { logger: { stream }, disableRequestLogging: true } })
    await queue(port, '/work?token=engage&__geordi__', { headers: { 'x-name': 'picard', cookie: 'session=engage' } })
    await until(() => lines.length > 0)
    const [line] = lines.map(line => JSON.parse(line)).filter(({ geordi }) => geordi !== undefined)
    assert.deepEqual([line.level, line.msg, line.geordi.action, line.geordi.who, line.geordi.path], [30, 'geordi: capture', 'capture', 'picard', '/work'])
    assert.doesNotMatch(lines.join(''), /engage/)
  })

  it('can be forged by no name, nor by an address, and names nobody at length', async t => {
    const events: AuditEvent[] = []
    const forger = `picard\r\n{"level":30}\u2028\x1b[2K\u202edrac${'i'.repeat(1_000_000)}`
    const { port, name } = await app(t, { audit: event => { events.push(event) }, identify: () => forger, server: { trustProxy: true } })
    const answer = await raw(port, head('GET /work?__geordi__ HTTP/1.1', 'Host: x', 'Connection: close', ADMIN.join(': '), 'X-Forwarded-For: 1.2.3.4\x85'))
    assert.match(answer, /^HTTP.1.1 303 /)
    const [{ who, from, path }] = events as [AuditEvent]
    assert.match(who!, /^picard\ufffd\ufffd\{"level":30\}\ufffd\ufffd\[2K\ufffddraci+$/)
    assert.deepEqual([who!.length, from, path], [200, '1.2.3.4\ufffd', '/work'])
    assert.equal((await (await take(t, { url: server.url, name })).next()).request.by, who)
  })

  for (const audit of [() => { throw new Error('disk full') }, async () => { throw new Error('disk full') }]) {
    it(`changes nothing when it ${audit.constructor.name === 'Function' ? 'throws' : 'rejects'}, but is told of`, async t => {
      const { lines, stream } = logged()
      const { port } = await app(t, { audit, server: { logger: { stream } } })
      const { url } = await queue(port, '/work?__geordi__')
      assert.equal((await ask(port, url, { accept: 'text/html' })).status, 200)
      await until(() => lines.some(line => /disk full/.test(line)))
    })
  }

  it('is waited for by nobody', async t => {
    const { port } = await app(t, { audit: () => new Promise(() => {}) })
    const { url } = await queue(port, '/work?__geordi__')
    assert.equal((await ask(port, url, { accept: 'text/html' })).status, 200)
  })

  it('goes on where nobody can be named', async t => {
    const events: AuditEvent[] = []
    const { port } = await app(t, { audit: event => { events.push(event) }, identify: () => { throw new Error('no name') } })
    assert.equal((await ask(port, '/work?__geordi__')).status, 500)
    assert.deepEqual(events.map(({ action, who, code }) => [action, who, code]), [['refusal', undefined, 'GEORDI_HOOK_FAILED']])
  })
})

describe('credentials in the query', () => {
  const shown: Array<[url: string, shown: string]> = [
    ['/work?a=1&token=engage', '/work?a=1&token=***'],
    ['/work?access_token=engage&ACCESS-TOKEN=engage&accessToken=engage&user%5Bpassword%5D=engage&x.secret=engage', '/work?access_token=***&ACCESS-TOKEN=***&accessToken=***&user%5Bpassword%5D=***&x.secret=***'],
    ['/work?%74oken=engage&api_key=engage&apikey=engage&key=engage&code=engage&session=engage&sessionId=engage&X-Amz-Signature=engage', '/work?%74oken=***&api_key=***&apikey=***&key=***&code=***&session=***&sessionId=***&X-Amz-Signature=***'],
    ['/work?back=%2Flogin%3Ftoken%3Dengage%26x%3D1', '/work?back=***'],
    ['/work?a=1;token=engage&b?secret=engage', '/work?a=1;token=***&b?secret=***'],
    ['/work?token=&monkey=1&postcode=2&keyboard=3&token', '/work?token=&monkey=1&postcode=2&keyboard=3&token'],
    ['/work?%zz=1&%zz%74=1&x=%zz', '/work?%zz=1&%zz%74=1&x=%zz'],
    ['/token=1/secret', '/token=1/secret'],
    ['/work?warp_core=engage&WarpCore=engage&the%20warpcore=engage', '/work?warp_core=***&WarpCore=***&the%20warpcore=***']
  ]
  for (const [url, expected] of shown) {
    it(`are hidden wherever it is shown, and whole in the replay: ${url}`, async t => {
      const { port, name } = await app(t, { hide: ['warp-core'] })
      const { url: page } = await queue(port, `${url}${url.includes('?') ? '&' : '?'}__geordi__`)
      const task = await (await take(t, { url: server.url, name })).next()
      assert.equal(task.request.url, url)
      assert.equal(task.request.shownUrl, expected)
      await task.update({ state: 'failed', error: { code: 'X', message: 'no' } })
      const answers = await Promise.all([ask(port, page, { accept: 'text/html' }), ask(port, page, { accept: 'application/json' }), ask(port, `${page}/report.pdf`)])
      assert.equal(JSON.parse(answers[1].text).request.url, expected)
      for (const { text } of answers) assert.doesNotMatch(text, /engage/)
    })
  }
})

function logged () {
  const lines: string[] = []
  const stream = new Writable({ write (chunk, _encoding, done) { lines.push(String(chunk)); done() } })
  return { lines, stream }
}

import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import type { FastifyInstance } from 'fastify'
import type { AuditEvent } from '@geordi/fastify'
import { REPORT, SNAPSHOT, type ReplayTask } from '@geordi/replay'
import { executablePath, launchChromium } from './chromium.ts'
import { ask, atEnd, isAdmin, queue, queueServer, start, take, until, type AppOptions, type Ask } from './support.ts'

const server = await queueServer()
const json = { accept: 'application/json' }
const html = { accept: 'text/html' }

/** An app, a replay of its `/work` in a worker's hands, and where its orders go. */
async function replaying (t: TestContext, routes: (app: FastifyInstance) => unknown = () => {}, options: Partial<AppOptions> = {}) {
  const events: AuditEvent[] = []
  const running = await start(t, server.url, async app => {
    app.get('/work', async () => 'x')
    await routes(app)
  }, { identify: () => 'picard', audit: event => events.push(event), ...options })
  const taker = await take(t, { url: server.url, name: running.name })
  const { url } = await queue(running.port, '/work?token=secret&__geordi__')
  const task = await taker.next()
  const post = (action: string, asked: Ask = {}) => ask(running.port, `${url}/${action}`, { method: 'POST', ...asked })
  const state = async () => JSON.parse((await ask(running.port, url, json)).text)
  return { ...running, url, task, post, state, events }
}

describe('a cancel', () => {
  it('reaches the worker that runs the replay, and is audited', async t => {
    const { task, post, events } = await replaying(t)
    await task.claim()
    const answer = await post('cancel', json)
    assert.equal(answer.status, 202)
    assert.equal(JSON.parse(answer.text).state, 'running')
    await until(() => task.cancelled.aborted)
    assert.deepEqual([task.cancelled.reason.code, task.cancelled.reason.message], ['GEORDI_REPLAY_CANCELLED', 'The replay was cancelled by picard.'])
    const { at, from, ...event } = events.at(-1)!
    assert.deepEqual(event, { action: 'cancel', method: 'GET', path: '/work', id: task.id, who: 'picard' })
  })

  it('of a replay that has not run yet ends it at once: it never runs', async t => {
    const { task, post, state } = await replaying(t)
    const answer = await post('cancel', json)
    assert.equal(answer.status, 202)
    const { error, ran } = JSON.parse(answer.text)
    assert.deepEqual([error.code, ran], ['GEORDI_REPLAY_CANCELLED', false])
    assert.equal((await state()).state, 'failed')
    await assert.rejects(task.claim(), { code: 'GEORDI_REPLAY_CANCELLED', message: 'The replay was cancelled by picard.' })
  })

  it('leads a browser back to the page, which says so', async t => {
    const { port, url, post } = await replaying(t)
    const answer = await post('cancel', { ...html, headers: { 'content-type': 'text/plain' }, body: '' })
    assert.deepEqual([answer.status, answer.headers.location], [303, url])
    const { text } = await ask(port, url, html)
    assert.match(text, /<h1>Cancelled<\/h1>/)
    assert.match(text, /The replay was cancelled by picard\.<\/pre>\s+<p class="soft">The request was not run\./)
  })

  it('of one that has ended changes nothing', async t => {
    const { task, post, state } = await replaying(t)
    await task.claim()
    await task.update({ state: 'done' })
    assert.equal(JSON.parse((await post('cancel', json)).text).state, 'done')
    assert.equal((await state()).state, 'done')
    assert.equal(task.cancelled.aborted, false)
  })

  it('is not there with GET, for an id that is none, nor for who is no admin, whose answer is the app\'s', async t => {
    const { port, url, post, task } = await replaying(t)
    assert.equal((await ask(port, `${url}/cancel`)).status, 404)
    assert.equal((await ask(port, `/__geordi__/${'A'.repeat(22)}/cancel`, { method: 'POST', ...json })).status, 404)
    const strangers = await post('cancel', { admin: false })
    const without = await ask(port, '/nowhere', { method: 'POST', admin: false })
    assert.deepEqual([strangers.status, strangers.text.replace(`${url}/cancel`, '/nowhere')], [without.status, without.text])
    assert.deepEqual({ ...strangers.headers, 'content-length': '', date: '' }, { ...without.headers, 'content-length': '', date: '' })
    await task.claim()
  })

  const senders: Array<[what: string, headers: Record<string, string>, status: number]> = [
    ['curl', {}, 202],
    ['a page of the same site', { 'sec-fetch-site': 'same-origin', 'sec-fetch-dest': 'document' }, 202],
    ['a form of another site', { 'sec-fetch-site': 'cross-site', 'sec-fetch-dest': 'document' }, 403],
    ['another site over plain HTTP', { origin: 'http://elsewhere.example' }, 403],
    ['a sandboxed frame', { origin: 'null' }, 403]
  ]
  for (const [what, headers, status] of senders) {
    it(`from ${what} is answered with ${status}`, async t => {
      const { task, post, events } = await replaying(t)
      assert.equal((await post('cancel', { headers, ...json })).status, status)
      if (status === 202) await assert.rejects(task.claim(), { code: 'GEORDI_REPLAY_CANCELLED' })
      else await task.claim()
      assert.equal(events.at(-1)!.action, status === 202 ? 'cancel' : 'refusal')
    })
  }

  it('works where a route of the app\'s own covers all addresses', async t => {
    const { task, post } = await replaying(t, app => { app.all('/*', async () => 'the app') })
    assert.equal((await post('cancel', { admin: false })).text, 'the app')
    assert.equal((await post('cancel', json)).status, 202)
    await assert.rejects(task.claim(), { code: 'GEORDI_REPLAY_CANCELLED' })
  })
})

describe('a snapshot', () => {
  const snapshots = (task: ReplayTask) => {
    const taken: number[] = []
    task.onSnapshot(at => {
      taken.push(at)
      task.attach(SNAPSHOT, Buffer.from(`%PDF ${taken.length}`), { snapshotAt: at }).catch(() => {})
    })
    return taken
  }

  it('is taken by the worker while the replay goes on, and shown', async t => {
    const { port, url, task, post, state, events } = await replaying(t)
    const taken = snapshots(task)
    await task.claim()
    const answer = await post('snapshot', html)
    assert.deepEqual([answer.status, answer.headers.location], [303, url])
    await until(async () => (await state()).snapshotAt !== undefined)
    assert.equal((await state()).snapshotAt, taken[0])
    const { text } = await ask(port, url, html)
    assert.match(text, /<a href="[^"]+\/snapshot\.pdf">What it had done/)
    assert.match(text, /Running for /)
    const pdf = await ask(port, `${url}/snapshot.pdf`)
    assert.deepEqual([pdf.status, pdf.text, pdf.headers['content-type'], pdf.headers['content-disposition']], [200, '%PDF 1', 'application/pdf', 'inline; filename="GET-work-snapshot.pdf"'])
    assert.ok(events.some(({ action }) => action === 'snapshot'))
    assert.equal((await state()).state, 'running')
  })

  it('for curl leads to the one that was asked for, not to the one before', async t => {
    const { port, task, post } = await replaying(t)
    snapshots(task)
    await task.claim()
    for (const text of ['%PDF 1', '%PDF 2']) {
      const { status, headers } = await post('snapshot')
      assert.equal(status, 303)
      // As curl -X POST -L does.
      assert.equal((await ask(port, headers.location!, { method: 'POST' })).text, text)
    }
  })

  it('of what does not run is none', async t => {
    const { task, post, state } = await replaying(t)
    const taken = snapshots(task)
    assert.equal((await post('snapshot')).text, 'The replay is queued.\n')
    await task.claim()
    await task.update({ state: 'done' })
    assert.equal((await post('snapshot')).text, 'The replay is done.\n')
    assert.deepEqual([taken, (await state()).snapshotAt], [[], undefined])
  })
})

describe('a client that repeats its method after the redirect', () => {
  for (const method of ['POST', 'PUT', 'PATCH', 'DELETE']) {
    it(`${method}: gets the report all the same`, async t => {
      const { port, url, task } = await replaying(t)
      await task.claim()
      await task.attach(REPORT, Buffer.from('%PDF'))
      await task.update({ state: 'done' })
      assert.equal((await ask(port, `${url}/report.pdf?wait`, { method })).text, '%PDF')
      assert.equal((await ask(port, `${url}/report.pdf`, { method, admin: false })).status, 404)
      assert.equal((await ask(port, url, { method })).status, 404)
    })
  }
})

describe('in a browser', { skip: executablePath === null && 'needs Chromium on the PATH' }, () => {
  it('both buttons work without script', async t => {
    const { port, url, task } = await replaying(t, () => {}, { isAdmin: request => isAdmin(request) || request.headers.cookie === 'rank=captain' })
    const taken: number[] = []
    task.onSnapshot(at => taken.push(at))
    await task.claim()
    const browser = await launchChromium()
    atEnd(t, () => browser.close())
    const context = await browser.newContext({ javaScriptEnabled: false })
    await context.addCookies([{ name: 'rank', value: 'captain', url: `http://127.0.0.1:${port}` }])
    const page = await context.newPage()
    await page.goto(`http://127.0.0.1:${port}${url}`)
    await page.getByRole('button', { name: 'Show what it does now' }).click()
    await until(() => taken.length === 1)
    await page.getByRole('button', { name: 'Cancel' }).click()
    await until(() => task.cancelled.aborted)
    assert.equal(new URL(page.url()).pathname, url)
  })
})

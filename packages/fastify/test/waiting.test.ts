import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { Replays, REPORT } from '@geordi/replay'
import { ADMIN, ask, dial, head, queue, queueServer, start, take, until, type AppOptions } from './support.ts'

const server = await queueServer()

/** An app with a replay under way, and how often its state was looked up. */
async function waiting (t: TestContext, options: Partial<AppOptions> = {}) {
  const looks = new Map<string, number>()
  const find = Replays.prototype.find
  t.mock.method(Replays.prototype, 'find', async function (this: Replays, id: string) {
    looks.set(id, (looks.get(id) ?? 0) + 1)
    return find.call(this, id)
  })
  const running = await start(t, server.url, app => { app.get('/work', async () => 'x') }, options)
  const taker = await take(t, { url: server.url, name: running.name })
  const queued = await queue(running.port, '/work?__geordi__')
  return { ...running, ...queued, task: await taker.next(), looks: (id = queued.id) => looks.get(id) ?? 0 }
}

describe('report.pdf?wait', () => {
  it('holds until the report is there, and then gives it', async t => {
    const { port, pdf, task, looks } = await waiting(t)
    const answer = ask(port, `${pdf}?wait`)
    await until(() => looks() > 2)
    await task.claim()
    const seen = looks()
    await until(() => looks() > seen)
    await task.attach(REPORT, Buffer.from('%PDF'))
    await task.update({ state: 'done' })
    const { status, text } = await answer
    assert.equal(status, 200)
    assert.equal(text, '%PDF')
  })

  it('answers with the reason as soon as the replay has failed', async t => {
    const { port, pdf, task, looks } = await waiting(t)
    const answer = ask(port, `${pdf}?wait`)
    await until(() => looks() > 2)
    await task.update({ state: 'failed', error: { code: 'X', message: 'the app did not start' } })
    const { status, text } = await answer
    assert.equal(status, 404)
    assert.match(text, /the app did not start/)
  })

  it('goes to itself after 20 s', async t => {
    const { port, pdf, looks } = await waiting(t)
    const now = performance.now.bind(performance)
    let ahead = 0
    t.mock.method(performance, 'now', () => now() + ahead)
    const answer = ask(port, `${pdf}?wait`)
    await until(() => looks() > 2)
    ahead = 19_000
    const seen = looks()
    await until(() => looks() > seen + 1)
    ahead = 20_000
    const { status, headers } = await answer
    assert.equal(status, 303)
    assert.equal(headers.location, `${pdf}?wait`)
  })

  it('is under none of the app\'s timeouts', async t => {
    const { port, pdf, task, looks } = await waiting(t, { server: { handlerTimeout: 1000, connectionTimeout: 1000 } as object })
    const answer = ask(port, `${pdf}?wait`)
    // Both timeouts are over by then: between the first ten looks are 20, 30, 45 … 500 ms.
    await until(() => looks() > 10)
    await task.attach(REPORT, Buffer.from('%PDF'))
    await task.update({ state: 'done' })
    assert.equal((await answer).text, '%PDF')
  })

  it('ends at once when the app closes, for many who wait, and nothing warns of them', async t => {
    const warnings = t.mock.method(process, 'emitWarning', () => {})
    const { app, port, looks } = await waiting(t, { server: { forceCloseConnections: 'idle' } })
    const replays = await Promise.all(Array.from({ length: 12 }, async (_, index) => queue(port, `/work?${index}&__geordi__`)))
    const answers = replays.map(async ({ pdf }) => ask(port, `${pdf}?wait`))
    await until(() => replays.every(({ id }) => looks(id) > 1))
    await app.close()
    for (const { status, headers, text } of await Promise.all(answers)) {
      assert.equal(status, 202)
      assert.equal(headers['retry-after'], '1')
      assert.match(text, /queued/)
    }
    assert.deepEqual(warnings.mock.calls.map(({ arguments: [warning] }) => String(warning)), [])
  })

  it('stops looking when the client has gone', async t => {
    const { app, port, id, pdf, looks } = await waiting(t)
    const gone = new Promise<void>(resolve => app.server.once('connection', socket => socket.once('close', () => resolve())))
    const socket = await dial(port)
    socket.write(head(`GET ${pdf}?wait HTTP/1.1`, 'Host: x', ADMIN.join(': ')))
    await until(() => looks() > 2)
    socket.destroy()
    await gone
    const atMost = looks() + 1
    // Somebody else waits through many more looks, at the same pace.
    const other = await queue(port, '/work?other&__geordi__')
    const patient = await dial(port)
    patient.write(head(`GET ${other.pdf}?wait HTTP/1.1`, 'Host: x', ADMIN.join(': ')))
    await until(() => looks(other.id) > 8)
    patient.destroy()
    assert.ok(looks(id) <= atMost, `${looks(id)} looks, at most ${atMost} expected`)
  })
})

import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { describe, it, type TestContext } from 'node:test'
import type { FastifyInstance } from 'fastify'
import { Replays, REPORT } from '@geordi/replay'
import { findRedisServer, startLocalServer } from '@geordi/replay/local'
import { ask, atEnd, queue, start, take, until } from './support.ts'

const count = { runs: 0 }
const routes = (app: FastifyInstance) => {
  app.post('/work', async () => {
    count.runs++
    return 'served'
  })
}

/** What an app promises while its queue server is away. */
async function assertAway (port: number, url: string): Promise<void> {
  const before = count.runs
  for (const [accept, type] of [['application/json', /^application\/json/], ['text/html', /^text\/html/], ['*/*', /^text\/plain/]] as const) {
    const answer = await ask(port, '/work?lost&__geordi__', { method: 'POST', accept })
    assert.equal(answer.status, 503, answer.text)
    assert.match(answer.headers['content-type']!, type)
    assert.match(answer.text, /queue server can(&#39;|')t be reached/)
    assert.match(answer.text, /did not run/)
    assert.equal(answer.text.includes(new URL(url).password || '\0'), false, 'no password is told')
    assert.equal(answer.headers['retry-after'], '1')
  }
  assert.equal(count.runs, before)
  assert.equal((await ask(port, '/work?__geordi__', { method: 'POST', admin: false })).text, 'served')
  assert.equal((await ask(port, '/work', { method: 'POST' })).text, 'served')
  for (const path of ['', '/report.pdf', '/profile.cpuprofile']) {
    for (const [accept, type] of [['application/json', /^application\/json/], ['text/html', /^text\/html/], ['*/*', /^text\/plain/]] as const) {
      const answer = await ask(port, `/__geordi__/AAAAAAAAAAAAAAAAAAAAAA${path}`, { accept })
      assert.equal(answer.status, 503, path)
      assert.match(answer.headers['content-type']!, type)
      assert.equal(answer.headers['retry-after'], '1')
    }
    assert.equal((await ask(port, `/__geordi__/AAAAAAAAAAAAAAAAAAAAAA${path}`, { admin: false })).status, 404, path)
  }
}

/** A port that nothing listens on. */
async function freePort (): Promise<number> {
  const server = createServer()
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise(resolve => server.close(resolve))
  return port
}

for (const kind of ['redis', 'postgres'] as const) {
  const skip = kind === 'redis' && findRedisServer() === null && 'needs redis-server or valkey-server on the PATH'

  describe(`an app whose queue server (${kind}) is away`, { skip }, () => {
    it('starts and serves, and answers 503 to an admin\'s flagged request', { timeout: 60_000 }, async t => {
      const url = `${kind}://user:hidden-word@127.0.0.1:${await freePort()}/db`
      const { port } = await start(t, url, routes)
      await assertAway(port, url)
    })

    it('does so too when the server takes connections and never answers', { timeout: 60_000 }, async t => {
      const { port: silent, sockets } = await silentServer(t)
      const url = `${kind}://user:hidden-word@127.0.0.1:${silent}/db`
      const { port } = await start(t, url, routes, { queue: { url } })
      await assertAway(port, url)
      assert.ok(sockets.size > 0)
    })

    it('goes on when it goes away later, and works again when it is back', { timeout: 60_000 }, async t => {
      const port = await freePort()
      const folder = await folderFor(t)
      let queueServer = await startLocalServer({ kind, port, folder })
      const { url } = queueServer
      atEnd(t, () => queueServer.stop())
      const app = await start(t, url, routes)
      await queue(app.port, '/work?first&__geordi__', { method: 'POST' })
      await queueServer.stop()
      await assertAway(app.port, url)

      queueServer = await startLocalServer({ kind, port, folder })
      assert.equal(queueServer.url, url)
      let answer
      do answer = await ask(app.port, '/work?again&__geordi__', { method: 'POST', accept: 'application/json' })
      while (answer.status === 503)
      assert.equal(answer.status, 202, answer.text)
      const taker = await take(t, { url, name: app.name })
      const { id } = JSON.parse(answer.text) as { id: string }
      let task
      do task = await taker.next()
      while (task.request.url === '/work?first')
      assert.equal(task.id, id, 'nothing of what was answered with 503 is in the queue')
    })

    it('keeps nobody from a report who waits for it, by `?wait` or on the page', { timeout: 60_000 }, async t => {
      const { running, away, back } = await interrupted(t, kind)
      const taker = await take(t, { url: running.url, name: running.name })
      const { url: page, pdf } = await queue(running.port, '/work?__geordi__', { method: 'POST' })
      const task = await taker.next()
      const looks = countLooks(t)
      let answer = ask(running.port, `${pdf}?wait`)
      await until(() => looks.answered > 1)
      await away()
      await until(() => looks.failed > 1)
      const shown = await ask(running.port, page, { accept: 'text/html' })
      assert.equal(shown.status, 503)
      assert.match(shown.text, /http-equiv="refresh"/)
      assert.match(shown.text, /the replay itself is not affected/)
      assert.match((await ask(running.port, pdf, { accept: 'text/html' })).text, /http-equiv="refresh"/)

      await back()
      await task.attach(REPORT, Buffer.from('%PDF'))
      await task.update({ state: 'done' })
      // On a slow machine its 20 s may be over.
      while ((await answer).status === 303) answer = ask(running.port, `${pdf}?wait`)
      assert.equal((await answer).text, '%PDF')
      assert.match((await ask(running.port, page, { accept: 'text/html' })).text, /The report is ready/)
    })

    it('lets `?wait` go to itself after 20 s where the replay was seen, and else answer 503', { timeout: 60_000 }, async t => {
      const { running, away } = await interrupted(t, kind)
      const { pdf } = await queue(running.port, '/work?__geordi__', { method: 'POST' })
      const looks = countLooks(t)
      const now = performance.now.bind(performance)
      let ahead = 0
      t.mock.method(performance, 'now', () => now() + ahead)
      const seen = ask(running.port, `${pdf}?wait`)
      await until(() => looks.answered > 1)
      await away()
      await until(() => looks.failed > 1)
      ahead = 20_000
      const { status, headers } = await seen
      assert.equal(status, 303)
      assert.equal(headers.location, `${pdf}?wait`)

      const { failed } = looks
      const unseen = ask(running.port, `${pdf}?wait`)
      await until(() => looks.failed > failed + 1)
      ahead = 40_000
      const answer = await unseen
      assert.equal(answer.status, 503)
      assert.equal(answer.headers['retry-after'], '1')
      assert.match(answer.text, /queue server can't be reached/)
    })
  })
}

/** An app whose queue server the test sends away and gets back. */
async function interrupted (t: TestContext, kind: 'redis' | 'postgres') {
  const port = await freePort()
  const folder = await folderFor(t)
  let server = await startLocalServer({ kind, port, folder })
  atEnd(t, () => server.stop())
  const { url } = server
  return {
    running: { ...await start(t, url, routes), url },
    away: () => server.stop(),
    back: async () => { server = await startLocalServer({ kind, port, folder }) }
  }
}

/** How often the state of a replay was looked up. */
function countLooks (t: TestContext): { answered: number, failed: number } {
  const looks = { answered: 0, failed: 0 }
  const find = Replays.prototype.find
  t.mock.method(Replays.prototype, 'find', async function (this: Replays, id: string) {
    try {
      const replay = await find.call(this, id)
      looks.answered++
      return replay
    } catch (error) {
      looks.failed++
      throw error
    }
  })
  return looks
}

async function folderFor (t: TestContext): Promise<string> {
  const folder = await mkdtemp(`${tmpdir()}/geordi-test-`)
  atEnd(t, () => rm(folder, { recursive: true, force: true }))
  return folder
}

async function silentServer (t: TestContext): Promise<{ port: number, sockets: Set<Socket> }> {
  const sockets = new Set<Socket>()
  const server = createServer(socket => sockets.add(socket.on('error', () => {})))
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  atEnd(t, () => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return { port: (server.address() as AddressInfo).port, sockets }
}

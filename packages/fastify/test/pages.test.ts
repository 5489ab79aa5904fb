import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import helmet from '@fastify/helmet'
import rateLimit from '@fastify/rate-limit'
import type { FastifyInstance } from 'fastify'
import { RAW_PROFILE, REPORT, type Replay, type ReplayTask } from '@geordi/replay'
import { ADMIN, ask, head, queue, queueServer, raw, start, take, type AppOptions } from './support.ts'

const server = await queueServer()
const PDF = Buffer.from('%PDF-1.7\nnot really\n\xff', 'latin1')

/** An app, a replay of its `/work` in a worker's hands, and the address of its pages. */
async function replaying (t: TestContext, { path = '/work', method = 'GET', routes = () => {}, ...options }: Partial<AppOptions> & { path?: string, method?: string, routes?: (app: FastifyInstance) => unknown } = {}) {
  const running = await start(t, server.url, async app => {
    await routes(app)
    // None of these covers geordi's prefix.
    for (const route of ['/', '/work', '/a*', '/x*']) app.all(route, async () => 'x')
  }, options)
  const taker = await take(t, { url: server.url, name: running.name })
  const { url } = await queue(running.port, `${path}${path.includes('?') ? '&' : '?'}__geordi__`, { method })
  return { ...running, url, taker, task: await taker.next() }
}

async function finish (task: ReplayTask, changes: Partial<Replay> = {}): Promise<void> {
  await task.claim()
  await task.attach(REPORT, PDF)
  await task.attach(RAW_PROFILE, Buffer.from('{"nodes":[]}'))
  await task.update({ state: 'done', statusCode: 200, wallTime: 1234, ...changes })
}

const html = { accept: 'text/html' }
const json = { accept: 'application/json' }

describe('the page of a replay', () => {
  const titles: Array<[state: Replay['state'], title: RegExp, refresh: boolean]> = [
    ['queued', /Waiting for a worker/, true],
    ['starting', /A worker starts the app/, true],
    ['running', /Replaying under the profiler/, true],
    ['rendering', /Drawing the report/, true],
    ['done', /The report is ready/, false],
    ['failed', /There is no report/, false],
    ['lost', /The outcome is unknown/, false]
  ]
  for (const [state, title, refresh] of titles) {
    it(`${state}: says so, without a script, and escapes what is not ours`, async t => {
      const { port, name } = await start(t, server.url, app => { app.get('/*', async () => 'x') })
      const hostile = '/<script>alert(1)</script>\'"&amp;?"><img/src=x>'
      const taker = await take(t, { url: server.url, name })
      const sent = await raw(port, head(`GET ${hostile}&__geordi__ HTTP/1.1`, 'Host: x', 'Connection: close', `${ADMIN[0]}: ${ADMIN[1]}`, 'Accept: text/html'))
      const url = /^location: (.*)\r$/m.exec(sent)![1]!
      const task = await taker.next()
      assert.equal(task.request.url, hostile)
      if (state === 'done') await task.attach(REPORT, PDF)
      await task.update({ state, ran: true, worker: '<b>worker</b>', error: { code: 'X', message: '</pre><script>alert(2)</script>' } })
      const { status, text, headers } = await ask(port, url, html)
      assert.equal(status, 200)
      assert.match(text, title)
      assert.equal(text.includes('http-equiv="refresh"'), refresh)
      assert.doesNotMatch(text, /<script|<img|<b>worker|javascript:|\son\w+=/i)
      assert.ok(text.includes('&#60;script&#62;alert(1)&#60;/script&#62;&#39;&#34;&#38;amp;?&#34;&#62;&#60;img/src=x&#62;'))
      if (state === 'failed' || state === 'lost') assert.ok(text.includes('&#60;/pre&#62;&#60;script&#62;alert(2)'))
      assert.equal(text.includes(`<iframe src="${url}/report.pdf"`), state === 'done')
      assert.match(headers['content-type']!, /^text\/html; charset=utf-8/)
      assert.equal(headers['cache-control'], 'no-store')
      assert.equal(headers['referrer-policy'], 'same-origin')
      assert.equal(headers['x-content-type-options'], 'nosniff')
      assert.match(headers['content-security-policy'] as string, /^default-src 'none'/)

      const state2 = JSON.parse((await ask(port, url, json)).text)
      assert.equal(state2.state, state)
      assert.equal(state2.url, url)
      assert.equal(state2.pdf, `${url}/report.pdf`)
      assert.deepEqual(state2.request, { method: 'GET', url: hostile })
    })
  }

  it('queued for some seconds: says that a worker is missing, and how to start one', async t => {
    const { port, url, task } = await replaying(t)
    const hint = /Start one with\s+<code>geordi worker &lt;entry&gt;<\/code>/
    await task.update({ state: 'queued', queuedAt: Date.now() })
    assert.doesNotMatch((await ask(port, url, html)).text, hint)
    await task.update({ state: 'queued', queuedAt: Date.now() - 60_000 })
    assert.match((await ask(port, url, html)).text, hint)
    await task.update({ state: 'starting' })
    assert.doesNotMatch((await ask(port, url, html)).text, hint)
  })

  const outcomes: Array<[changes: Partial<Replay>, title: string, says: RegExp]> = [
    [{ state: 'failed', ran: true }, 'There is no report', /The request was sent to the app, once/],
    [{ state: 'failed', ran: false }, 'There is no report', /The request was not run/],
    [{ state: 'lost', ran: true }, 'The outcome is unknown', /MESSAGE/],
    [{ state: 'lost', ran: false }, 'The worker died', /MESSAGE/]
  ]
  for (const [changes, title, says] of outcomes) {
    it(`${changes.state}, ${changes.ran === true ? 'perhaps run' : 'not run'}: says one thing about what ran`, async t => {
      const { port, url, task } = await replaying(t)
      await task.update({ state: 'failed', ...changes, error: { code: 'X', message: 'MESSAGE' } })
      const { text } = await ask(port, url, html)
      assert.match(text, new RegExp(`<h1>${title}</h1>`))
      assert.match(text, says)
      assert.equal(text.match(/was sent|was not run|not run again/g)?.length ?? 0, changes.state === 'lost' ? 0 : changes.ran === true ? 2 : 1)
      assert.equal(/Nothing of its recording was kept/.test(text), changes.ran)
      assert.equal((await ask(port, `${url}/report.pdf`)).text, `GET /work: ${title}. MESSAGE\n`)
    })
  }

  it('failed: shows what was recorded until then', async t => {
    const { port, url, task } = await replaying(t)
    const failed = { state: 'failed', ran: true, error: { code: 'X', message: 'The process exited with code 7.' } } as const
    await task.update(failed)
    assert.doesNotMatch((await ask(port, url, html)).text, /recorded until then|<nav>|<iframe/)
    await task.attach(RAW_PROFILE, Buffer.from('{}'))
    await task.attach(REPORT, PDF)
    const { text } = await ask(port, url, html)
    assert.match(text, /<h1>The replay broke off<\/h1>[^]*The process exited with code 7[^]*recorded until then/)
    assert.doesNotMatch(text, /Nothing of its recording/)
    for (const link of [`href="${url}/report.pdf"`, `href="${url}/profile.cpuprofile"`, `<iframe src="${url}/report.pdf"`]) assert.ok(text.includes(link), link)
    for (const path of ['/report.pdf', '/report.pdf?wait']) assert.ok(PDF.equals((await ask(port, url + path)).bytes))
  })

  it('is a 404 page for an id that is unknown', async t => {
    const { port } = await replaying(t)
    for (const path of ['', '/report.pdf', '/report.pdf?wait', '/profile.cpuprofile']) {
      for (const [accept, type] of [['text/html', /^text\/html/], ['*/*', /^text\/plain/], ['application/json', /^application\/json/]] as const) {
        const answer = await ask(port, `/__geordi__/AAAAAAAAAAAAAAAAAAAAAA${path}`, { accept })
        assert.equal(answer.status, 404, path)
        assert.match(answer.headers['content-type']!, type)
        assert.match(answer.text, /no such replay, or it has expired/)
      }
    }
  })

  it('is the app\'s own 404 for what is none of geordi\'s addresses', async t => {
    const { port, url, task } = await replaying(t)
    await finish(task)
    const others = ['short', '..%2f..', '%00', 'AAAAAAAAAAAAAAAAAAAAAA%0d%0a', 'A'.repeat(23), 'A'.repeat(500)].map(id => `/__geordi__/${id}`)
    const artefacts = ['capture', 'record', 'constructor', '__proto__', 'other.pdf', 'report.pdf/', ''].map(artefact => `${url}/${artefact}`)
    for (const path of [...others, ...artefacts, `${url}/capture?wait`, '/__geordi__', '/__geordi__/']) {
      const answer = await ask(port, path, html)
      assert.equal(answer.status, 404, path)
      assert.match(answer.text, /Route GET:/, path)
    }
  })

  it('works under helmet\'s default policy', async t => {
    const { port, url, task } = await replaying(t, { routes: app => app.register(helmet) })
    await finish(task)
    const page = await ask(port, url, html)
    // The page's style and frame, and no upgrade to https of a frame that is served over http.
    const policy = page.headers['content-security-policy'] as string
    assert.match(policy, /style-src 'self' 'unsafe-inline'/)
    assert.match(policy, /frame-src 'self'/)
    assert.doesNotMatch(policy, /upgrade-insecure-requests/)
    const pdf = await ask(port, `${url}/report.pdf`)
    assert.match(pdf.headers['content-security-policy'] as string, /frame-ancestors 'self'/)
    assert.doesNotMatch(pdf.headers['content-security-policy'] as string, /object-src/)
    assert.equal(pdf.headers['x-frame-options'], 'SAMEORIGIN')
    assert.notEqual((await ask(port, '/x')).headers['content-security-policy'], policy, 'the app\'s own pages keep theirs')
  })

  for (const place of ['before', 'after'] as const) {
    it(`is not counted by a rate limit, registered ${place} geordi`, async t => {
      const limited = (app: FastifyInstance) => app.register(rateLimit, { max: 2 })
      const { port, url, task } = await replaying(t, place === 'before' ? { before: limited } : { routes: limited })
      await finish(task)
      for (let turn = 0; turn < 5; turn++) {
        for (const path of [url, `${url}/report.pdf`, `${url}/profile.cpuprofile`]) assert.equal((await ask(port, path)).status, 200)
      }
      // The flagged request was one, and is counted as any other.
      assert.equal((await ask(port, '/work')).status, 200)
      assert.equal((await ask(port, '/work?__geordi__')).status, 429)
    })
  }
})

describe('report.pdf', () => {
  const names: Array<[method: string, path: string, name: string]> = [
    ['GET', '/work', 'GET-work'],
    ['POST', '/a/b-c/d_e.json?x=1', 'POST-a-b-c-d_e.json'],
    ['GET', '/', 'GET'],
    ['DELETE', '/a%20b/%22;x="/..', 'DELETE-a-20b-22-x-..'],
    ['GET', `/${'x'.repeat(200)}`, `GET-${'x'.repeat(80)}`]
  ]
  for (const [method, path, name] of names) {
    it(`of ${method} ${path.slice(0, 30)} is named ${name.slice(0, 30)}`, async t => {
      const { port, url, task } = await replaying(t, { method, path })
      await finish(task)
      const pdf = await ask(port, `${url}/report.pdf`)
      assert.equal(pdf.status, 200)
      assert.equal(pdf.headers['content-type'], 'application/pdf')
      assert.equal(pdf.headers['content-disposition'], `inline; filename="${name}.pdf"`)
      assert.equal(pdf.headers['cache-control'], 'no-store')
      assert.ok(PDF.equals(pdf.bytes))
      const profile = await ask(port, `${url}/profile.cpuprofile`)
      assert.equal(profile.headers['content-disposition'], `attachment; filename="${name}.cpuprofile"`)
      assert.equal(profile.text, '{"nodes":[]}')
    })
  }

  it('is given whole to who asks for a part of it', async t => {
    const { port, url, task } = await replaying(t)
    await finish(task)
    for (const range of ['bytes=0-3', 'bytes=-4', 'bytes=9-', 'bytes=0-1,3-4', 'bytes=99999-', 'bytes=4-1', 'pages=1-2']) {
      for (const condition of [[], ['If-Range: "it"'], ['If-Range: Tue, 27 Apr 2027 19:43:31 GMT'], ['If-None-Match: *'], ['If-Modified-Since: Tue, 27 Apr 2027 19:43:31 GMT']]) {
        const answer = await raw(port, head(`GET ${url}/report.pdf HTTP/1.1`, 'Host: x', 'Connection: close', ADMIN.join(': '), `Range: ${range}`, ...condition))
        assert.match(answer, /^HTTP\/1\.1 200 /, range)
        assert.doesNotMatch(answer, /^(content-range|etag|last-modified|accept-ranges: bytes)/im, range)
        assert.match(answer, new RegExp(`^content-length: ${PDF.length}\r$`, 'im'), range)
      }
    }
  })

  it('has a HEAD without a body', async t => {
    const { port, url, task } = await replaying(t)
    await finish(task)
    const answer = await ask(port, `${url}/report.pdf`, { method: 'HEAD' })
    assert.equal(answer.status, 200)
    assert.equal(answer.headers['content-length'], String(PDF.length))
    assert.equal(answer.bytes.length, 0)
  })

  it('pending: 202 with Retry-After and the state', async t => {
    const { port, url, task } = await replaying(t)
    for (const state of ['queued', 'running'] as const) {
      await task.update({ state })
      const answer = await ask(port, `${url}/report.pdf`)
      assert.equal(answer.status, 202)
      assert.equal(answer.headers['retry-after'], '1')
      assert.match(answer.text, new RegExp(state))
    }
  })

  for (const state of ['failed', 'lost'] as const) {
    it(`${state}: 404 with the reason, with and without ?wait, and the raw profile if there is one`, async t => {
      const { port, url, task } = await replaying(t)
      await task.attach(RAW_PROFILE, Buffer.from('{}'))
      await task.update({ state, error: { code: 'X', message: 'The process ended by SIGKILL.' } })
      for (const path of [`${url}/report.pdf`, `${url}/report.pdf?wait`]) {
        const text = await ask(port, path)
        assert.equal(text.status, 404)
        assert.match(text.text, /The process ended by SIGKILL/)
        assert.match(text.headers['content-type']!, /^text\/plain/)
        const page = await ask(port, path, html)
        assert.equal(page.status, 404)
        assert.match(page.text, /The process ended by SIGKILL/)
      }
      assert.match((await ask(port, url, html)).text, new RegExp(`href="${url}/profile.cpuprofile"`))
      assert.equal((await ask(port, `${url}/profile.cpuprofile`)).text, '{}')
    })
  }

  it('sealed with another secret says what is wrong', async t => {
    const same = await replaying(t)
    const wrong = await start(t, server.url, app => { app.get('/*', async () => 'x') }, { secret: 'another secret of at least 32 characters', queue: { url: server.url, name: same.name } })
    for (const path of ['', '/report.pdf', '/report.pdf?wait']) {
      const answer = await ask(wrong.port, `${same.url}${path}`)
      assert.equal(answer.status, 500)
      assert.match(answer.text, /same `secret`/)
    }
  })
})

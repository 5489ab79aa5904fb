import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, describe, it, type TestContext } from 'node:test'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import formbody from '@fastify/formbody'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { AuditEvent } from '@geordi/fastify'
import { executablePath, launchChromium } from './chromium.ts'
import { ask, atEnd, queueServer, start, take, until } from './support.ts'

const server = await queueServer()
const byCookie = (request: FastifyRequest) => /\brank=captain\b/.test(request.headers.cookie ?? '')

/** An app whose admins have a cookie, that counts what its handlers did, and whether geordi queued anything. */
async function target (t: TestContext, routes: (app: FastifyInstance) => unknown = () => {}, isAdmin: (request: FastifyRequest) => boolean = byCookie) {
  const runs: string[] = []
  const events: AuditEvent[] = []
  const running = await start(t, server.url, async app => {
    await app.register(formbody)
    await routes(app)
    app.all('/*', async (request, reply) => {
      // Which browsers ask for by themselves.
      if (request.url !== '/favicon.ico') runs.push(`${request.method} ${request.url}`)
      return reply.type('text/html').send('<title>the app</title><p>the handler')
    })
  }, { isAdmin, identify: () => 'picard', audit: event => events.push(event) })
  const taker = await take(t, { url: server.url, name: running.name })
  /** Nothing was queued by what came before: the next that is, is this one. */
  const assertNothingQueued = async () => {
    const answer = await ask(running.port, '/check?__geordi__', { accept: 'application/json', headers: { cookie: 'rank=captain' } })
    assert.equal((await taker.next()).id, JSON.parse(answer.text).id)
  }
  return { ...running, runs, events, taker, assertNothingQueued, refusals: () => events.filter(({ action }) => action === 'refusal') }
}

describe('a flagged request by its headers', () => {
  const cross = { 'sec-fetch-site': 'cross-site' }
  const document = { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' }
  type Outcome = 'queued' | 'told' | 'served'
  const cases: Array<[what: string, outcome: Outcome, headers: Record<string, string>, method?: string]> = [
    ['curl', 'queued', {}],
    ['curl that posts', 'queued', {}, 'POST'],
    ['a typed address', 'queued', { 'sec-fetch-site': 'none', ...document }],
    ['a link of this site', 'queued', { 'sec-fetch-site': 'same-origin', ...document }],
    ['a form of this site', 'queued', { 'sec-fetch-site': 'same-origin', ...document }, 'POST'],
    ['a fetch of this site', 'queued', { 'sec-fetch-site': 'same-origin', 'sec-fetch-dest': 'empty' }, 'DELETE'],
    ['a link of another site', 'told', { ...cross, ...document }],
    ['a link of a sister site', 'told', { 'sec-fetch-site': 'same-site', ...document }],
    ['a form of another site', 'told', { ...cross, ...document }, 'POST'],
    ['a POST of nobody knows whom', 'told', { 'sec-fetch-site': 'none', ...document }, 'POST'],
    ['an image of another site', 'served', { ...cross, 'sec-fetch-dest': 'image' }],
    ['a script of another site', 'served', { ...cross, 'sec-fetch-dest': 'script' }],
    ['a frame of another site', 'served', { ...cross, 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'iframe' }],
    ['a fetch of another site', 'served', { ...cross, 'sec-fetch-dest': 'empty' }],
    ['an image that somebody put on this site', 'served', { 'sec-fetch-site': 'same-origin', 'sec-fetch-dest': 'image' }],
    ['a page that the browser loads ahead', 'told', { 'sec-fetch-site': 'none', ...document, 'sec-purpose': 'prefetch;prerender' }],
    ['what no browser says', 'served', { 'sec-fetch-site': 'nonsense' }],
    ['an old browser on this site', 'queued', { origin: 'http://app.example:8080', host: 'app.example:8080' }, 'POST'],
    ['an old browser on this site, default port', 'queued', { origin: 'https://app.example', host: 'app.example:443' }, 'POST'],
    ['an old browser on another site', 'told', { origin: 'http://evil.example', host: 'app.example' }, 'POST'],
    ['an old browser on another port', 'told', { origin: 'http://app.example:81', host: 'app.example' }, 'POST'],
    ['an old browser that hides its site', 'told', { origin: 'null', host: 'app.example' }, 'POST']
  ]
  for (const [what, outcome, headers, method = 'GET'] of cases) {
    it(`of ${what} is ${outcome}`, async t => {
      const { port, runs, taker, assertNothingQueued, refusals } = await target(t)
      const answer = await ask(port, '/work?a=1&__geordi__', { method, accept: 'application/json', headers: { cookie: 'rank=captain', ...headers } })
      if (outcome === 'queued') {
        assert.equal(answer.status, 202, answer.text)
        assert.equal((await taker.next()).request.url, '/work?a=1')
      } else {
        await assertNothingQueued()
        assert.equal(answer.status, outcome === 'told' ? 403 : 200)
        assert.deepEqual(refusals().map(({ code, method, path }) => [code, method, path]), [['GEORDI_FROM_ELSEWHERE', method, '/work']])
      }
      if (outcome === 'told') assert.equal(JSON.parse(answer.text).code, 'GEORDI_FROM_ELSEWHERE')
      assert.deepEqual(runs, outcome === 'served' ? [`${method} /work?a=1&__geordi__`] : [])
    })
  }

  it('of another site is answered as ever to who is no admin', async t => {
    const { port, runs, refusals } = await target(t)
    assert.match((await ask(port, '/work?__geordi__', { headers: { ...cross, ...document } })).text, /the handler/)
    assert.deepEqual(runs, ['GET /work?__geordi__'])
    assert.deepEqual(refusals(), [])
  })

  it('of another site gets what a strict schema says without geordi', async t => {
    const { port } = await target(t, app => {
      app.get('/strict', { schema: { querystring: { type: 'object', properties: {}, additionalProperties: false } } }, async request => request.query)
    })
    const answer = await ask(port, '/strict?__geordi__', { headers: { cookie: 'rank=captain', ...cross, 'sec-fetch-dest': 'image' } })
    assert.deepEqual([answer.status, answer.text], [200, '{}'], 'Ajv removed it')
  })

  for (const path of ['//evil.example/x', '/\\evil.example/x', '/a"><script>alert(1)</script>']) {
    it(`of another site gets a link that stays on this one: ${path}`, async t => {
      const { port } = await target(t)
      const { text } = await ask(port, `${path}?__geordi__`, { accept: 'text/html', headers: { cookie: 'rank=captain', ...cross, ...document } })
      const link = /<a href="([^"]*)">/.exec(text)![1]!.replace(/&#(\d+);/g, (_, code) => String.fromCharCode(Number(code)))
      assert.equal(new URL(link, 'http://app.example/').host, 'app.example')
      assert.doesNotMatch(text, /<script/)
    })
  }
})

describe('another site in an admin\'s browser', { skip: executablePath === null && 'needs chromium on the PATH', timeout: 240_000 }, () => {
  let browser: Browser
  before(async () => { browser = await launchChromium() })
  after(() => browser?.close())

  /** An admin's browser, the app, and another site: another host's name, so another site to a browser. */
  async function scene (t: TestContext) {
    // Known by something that goes along with every request, such as an address: no cookie's SameSite helps here.
    const app = await target(t, undefined, () => true)
    let html = ''
    const evil = createServer((request, response) => {
      if (request.url === '/redirect') response.writeHead(302, { location: `http://localhost:${app.port}/work?__geordi__` }).end()
      else response.setHeader('content-type', 'text/html').end(html)
    })
    await new Promise<void>(resolve => evil.listen(0, '127.0.0.1', resolve))
    atEnd(t, () => new Promise(resolve => { evil.close(resolve).closeAllConnections() }))
    const context: BrowserContext = await browser.newContext()
    atEnd(t, () => context.close())
    const flagged = `http://localhost:${app.port}/work?a=1&__geordi__`
    const page: Page = await context.newPage()
    const visit = async (body: string) => {
      html = `<!doctype html><title>evil</title>${body}`
      await page.goto(`http://127.0.0.1:${(evil.address() as AddressInfo).port}/`)
    }
    return { ...app, evilPort: (evil.address() as AddressInfo).port, context, page, flagged, visit }
  }

  for (const [what, body] of [
    ['an image', (url: string) => `<img src="${url}">`],
    ['a script', (url: string) => `<script src="${url}"></script>`],
    ['a style sheet', (url: string) => `<link rel="stylesheet" href="${url}">`],
    ['a frame', (url: string) => `<iframe src="${url}"></iframe>`],
    ['fetch with cookies', (url: string) => `<script>fetch('${url}', { credentials: 'include', mode: 'no-cors' })</script>`],
    ['fetch with CORS', (url: string) => `<script>fetch('${url}', { credentials: 'include' }).catch(() => {})</script>`],
    ['a beacon', (url: string) => `<script>navigator.sendBeacon('${url}', 'x')</script>`]
  ] as const) {
    it(`gets the app's own answer to ${what}, and no profile`, async t => {
      const { visit, flagged, runs, refusals, assertNothingQueued } = await scene(t)
      await visit(body(flagged))
      await until(() => refusals().length > 0)
      assert.equal(runs.length, 1, 'served as without geordi')
      await assertNothingQueued()
    })
  }

  for (const [what, body, go] of [
    ['a link', (url: string) => `<a href="${url}">kittens</a>`, (page: Page) => page.click('a')],
    ['a form', (url: string) => `<form method="post" action="${url}"><input name="x" value="1"><button>kittens</button></form>`, (page: Page) => page.click('button')],
    ['a script that moves on', (url: string) => `<button onclick="location = '${url}'">kittens</button>`, (page: Page) => page.click('button')]
  ] as const) {
    it(`that leads the admin there by ${what} gets a page that says why not, and nothing runs`, async t => {
      const { visit, flagged, page, runs, refusals, taker, assertNothingQueued } = await scene(t)
      await visit(body(flagged))
      await go(page)
      await page.getByRole('heading', { name: 'Not profiled' }).waitFor()
      assert.deepEqual(runs, [])
      assert.equal(refusals().length, 1)
      await assertNothingQueued()
      if (what === 'a form') {
        assert.equal(await page.locator('a').count(), 0, 'a link could not send it again')
        return
      }
      // By the admin's own hand.
      await page.click('.request a')
      await page.waitForURL(/\/__geordi__\/[\w-]{22}$/)
      assert.equal((await taker.next()).request.url, '/work?a=1')
      assert.deepEqual(runs, [])
    })
  }

  it('that redirects there, or opens a window, gets no profile', async t => {
    const { visit, flagged, page, context, evilPort, refusals, runs, assertNothingQueued } = await scene(t)
    await visit(`<a href="http://127.0.0.1:${evilPort}/redirect">kittens</a><button onclick="window.open('${flagged}')">more</button>`)
    const [opened] = await Promise.all([context.waitForEvent('page'), page.click('button')])
    await opened.getByRole('heading', { name: 'Not profiled' }).waitFor()
    await page.click('a')
    await page.getByRole('heading', { name: 'Not profiled' }).waitFor()
    assert.equal(refusals().length, 2)
    assert.deepEqual(runs, [])
    await assertNothingQueued()
  })

  it('is no obstacle: an address that the admin types, a link and a form of the app\'s own work', async t => {
    const { port, page, flagged, taker, runs } = await scene(t)
    await page.goto(flagged)
    assert.equal((await taker.next()).request.url, '/work?a=1')
    await page.goto(`http://localhost:${port}/own`)
    await page.setContent('<a href="/linked?__geordi__">x</a><form method="post" action="/posted?__geordi__"><button>x</button></form>')
    await page.click('a')
    assert.equal((await taker.next()).request.url, '/linked')
    await page.goto(`http://localhost:${port}/own`)
    await page.setContent('<form method="post" action="/posted?__geordi__"><button>x</button></form>')
    await page.click('button')
    const { request } = await taker.next()
    assert.deepEqual([request.method, request.url], ['POST', '/posted'])
    await page.goto(`http://localhost:${port}/own`)
    // Not awaited: it is led to the report, and that never comes.
    await page.evaluate('void fetch("/fetched?__geordi__", { method: "PUT" })')
    assert.equal((await taker.next()).request.url, '/fetched')
    assert.deepEqual(runs, Array(3).fill('GET /own'))
  })
})

import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { buildApp } from '../src/app.ts'
import { startCacheServer } from '../src/cache/server.ts'
import { slowRoutes } from '../src/slow/table.ts'
import { exampleUrl } from '../src/slow/route.ts'
import { escapeHtml } from '../src/html.ts'
import { formatNumber } from '../src/pages/layout.ts'
import { until } from './processes.ts'
import { profiled } from './profiled.ts'
import { cheapUrl, login, startTestServer } from './running-app.ts'
import type { FastifyInstance } from 'fastify'
import type { CacheServer } from '../src/cache/server.ts'
import type { TestServer } from './running-app.ts'

let started: TestServer
let cache: CacheServer
let app: FastifyInstance
let origin: string

before(async () => {
  started = await startTestServer()
  cache = await startCacheServer()
  app = await buildApp({ ...started.settings, cacheUrl: cache.url })
  origin = await app.listen({ port: 0, host: '127.0.0.1' })
})

after(async () => {
  await app?.close()
  await cache?.stop()
  await started?.server.stop()
})

const home = async (cookie: string) => (await fetch(origin, { headers: { accept: 'text/html', cookie } })).text()

test('the table has a route for each cause', () => {
  assert.deepEqual(slowRoutes.map(({ path }) => path).sort(), [
    '/fast', '/slow/cache', '/slow/cpu', '/slow/forever', '/slow/gc', '/slow/gzip', '/slow/io', '/slow/lock', '/slow/mutex', '/slow/pool',
    '/slow/queries', '/slow/regex', '/slow/serial', '/slow/socket', '/slow/startup', '/slow/statement'
  ])
})

test('the link to the regular expression has the text that it is given, so that a report tells its length', () => {
  assert.match(exampleUrl(slowRoutes.find(({ path }) => path === '/slow/regex')!), /^\/slow\/regex\?q=a{27}!$/)
})

for (const route of slowRoutes) {
  describe(route.path, () => {
    test('is listed, with a link to profile it for an admin alone', async () => {
      const [picard, wesley] = [await home(await login(origin, 'picard', 'engage')), await home(await login(origin, 'wesley', 'shutup'))]
      const link = `href="${escapeHtml(exampleUrl(route))}"`
      const flagged = `href="${escapeHtml(`${exampleUrl(route)}${exampleUrl(route).includes('?') ? '&' : '?'}__geordi__`)}"`
      for (const text of [link, flagged, escapeHtml(route.title), escapeHtml(route.what)]) assert.ok(picard.includes(text), text)
      for (const parameter of Object.values(route.parameters)) {
        assert.ok(picard.includes(escapeHtml(parameter.description)))
        assert.ok(picard.includes(formatNumber(parameter.type === 'integer' ? parameter.maximum : parameter.maxLength)))
      }
      assert.ok(wesley.includes(link))
      assert.ok(!wesley.includes('__geordi__'))
    })

    test('answers JSON with its own counts, and a page for people', async () => {
      const response = await fetch(origin + cheapUrl(route))
      assert.equal(response.status, 200)
      assert.match(response.headers.get('content-type') ?? '', /^application\/json/)
      const counted = await response.json() as Record<string, unknown>
      assert.ok(Object.keys(counted).length > 1)
      assert.ok(Number(counted['milliseconds']) > 0)
      const page = await fetch(origin + cheapUrl(route), { headers: { accept: 'text/html' } })
      assert.match(await page.text(), /<h1>Done<\/h1><p>[A-Z0-9][^<]+\.<\/p>/)
    })

    const wrong = Object.entries(route.parameters).flatMap(([name, parameter]) => (parameter.type === 'integer'
      ? [parameter.minimum - 1, parameter.maximum + 1, 'x', parameter.minimum + 0.5]
      : ['', 'a'.repeat(parameter.maxLength + 1)]).map(value => ({ name, value })))
    for (const { name, value } of wrong) {
      test(`refuses ${name}=${value}, with the reason`, async () => {
        const response = await fetch(`${origin}${route.path}?${name}=${value}`)
        assert.equal(response.status, 400)
        assert.match((await response.json() as { message: string }).message, new RegExp(`querystring/${name} must`))
      })
    }
  })
}

test('an app without a cache says what to do', async () => {
  const without = await buildApp({ ...started.settings, replay: true })
  try {
    const response = await without.inject('/slow/cache')
    assert.equal(response.statusCode, 503)
    const { code, message } = response.json<{ code: string, message: string }>()
    assert.equal(code, 'DEMO_NO_CACHE')
    assert.match(message, /CACHE_URL/)
  } finally {
    await without.close()
  }
})

test('/slow/cache is answered by the cache each time', async () => {
  const before = cache.commands.get('GET') ?? 0
  const counted = await (await fetch(`${origin}/slow/cache?n=37`)).json() as { gets: number, hits: number }
  assert.equal(cache.commands.get('GET'), before + 37)
  assert.deepEqual([counted.gets, counted.hits], [37, 37])
})

test('a broken cache is the route’s trouble alone, and tells no secrets', async () => {
  const broken = await buildApp({ ...started.settings, cacheUrl: 'redis://:word@127.0.0.1:1', replay: true })
  try {
    const response = await broken.inject('/slow/cache')
    assert.equal(response.statusCode, 500)
    assert.doesNotMatch(response.body, /127\.0\.0\.1|word/)
    assert.equal((await broken.inject('/fast')).statusCode, 200)
  } finally {
    await broken.close()
  }
})

test('/slow/gzip is a download for who asks for CSV', async () => {
  const response = await fetch(`${origin}/slow/gzip?rows=250`, { headers: { accept: 'text/csv' } })
  assert.equal(response.headers.get('content-type'), 'text/csv; charset=utf-8')
  assert.equal(response.headers.get('content-encoding'), 'gzip')
  assert.equal(response.headers.get('content-disposition'), 'attachment; filename="commits.csv"')
  const lines = (await response.text()).split('\r\n')
  assert.equal(lines.pop(), '')
  assert.equal(lines.length, 250)
  for (const line of lines) assert.match(line, /^"[0-9a-f]{40}","[^"]+",".+","\d{4}-.+Z","[^"]*"$/)
})

test('/slow/forever lets others have their turn, and ends when its client has gone', { timeout: 60_000 }, async () => {
  const client = new AbortController()
  const forever = fetch(`${origin}/slow/forever?s=3600`, { signal: client.signal })
  const isWorking = async () => (await profiled(async () => assert.equal((await fetch(`${origin}/fast`)).status, 200))).samples.has('annotateUntil')
  await until(isWorking, () => 'it never works')
  client.abort()
  await assert.rejects(forever, { name: 'AbortError' })
  await until(async () => !await isWorking(), () => 'still working')
})

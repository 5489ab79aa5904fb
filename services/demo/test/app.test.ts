import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import pg from 'pg'
import { buildApp } from '../src/app.ts'
import { connectDatabase } from '../src/database.ts'
import { freshDatabase, login, sessionOf, startTestServer } from './running-app.ts'
import type { FastifyInstance } from 'fastify'
import type { LocalServer } from '@geordi/replay/local'
import type { Database } from '../src/database.ts'
import type { AppSettings } from '../src/settings.ts'

let server: LocalServer
let database: Database
let settings: AppSettings
let app: FastifyInstance
let origin: string

before(async () => {
  ({ server, settings } = await startTestServer())
  // Two at once, as the web process and a second one would: the tables are made and filled once.
  const [first, second] = await Promise.all([buildApp(settings), buildApp(settings)])
  await second.close()
  app = first
  origin = await app.listen({ port: 0, host: '127.0.0.1' })
  // The pool says that it has ended before its connections are closed: the server's farewell may still reach one.
  database = connectDatabase(settings.databaseUrl, () => {})
})

after(async () => {
  await app?.close()
  await database?.end()
  await server?.stop()
})

async function countRows (table: string): Promise<number> {
  const { rows } = await database.query<{ n: number }>(`SELECT count(*)::int AS n FROM demo.${table}`)
  return rows[0]?.n ?? -1
}

const call = (path: string, init: RequestInit = {}) => fetch(origin + path, { redirect: 'manual', ...init })
const json = (body: unknown, headers: Record<string, string> = {}): RequestInit =>
  ({ method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(body) })
const asHtml = (cookie = '') => ({ headers: { accept: 'text/html', cookie } })

describe('the data', () => {
  test('is there once, though two apps started at once', async () => {
    assert.equal(await countRows('repositories'), 12)
    assert.equal(await countRows('files'), 432)
    const commits = await countRows('commits')
    assert.ok(commits > 1_800 && commits < 2_500, `${commits} commits`)
  })

  test('a replay process makes no tables', async () => {
    const databaseUrl = await freshDatabase(server, 'untouched')
    const replayed = await buildApp({ ...settings, databaseUrl, replay: true })
    await replayed.close()
    const client = new pg.Client({ connectionString: databaseUrl })
    await client.connect()
    const { rows } = await client.query("SELECT FROM pg_namespace WHERE nspname = 'demo'")
    await client.end()
    assert.equal(rows.length, 0)
  })

  test('a database that is not there rejects', async () => {
    await assert.rejects(buildApp({ ...settings, databaseUrl: 'postgres://nobody:x@127.0.0.1:1/none' }), { code: 'ECONNREFUSED' })
  })
})

describe('login', () => {
  test('with JSON: who it is, and a session cookie that scripts and other sites do not get', async () => {
    const response = await call('/login', json({ username: 'picard', password: 'engage' }))
    assert.equal(response.status, 200)
    assert.deepEqual(await response.json(), { name: 'picard', admin: true })
    const cookie = response.headers.getSetCookie()[0] ?? ''
    for (const part of ['HttpOnly', 'SameSite=Lax', 'Path=/']) assert.ok(cookie.split('; ').includes(part), cookie)
    assert.deepEqual(await (await call('/login', json({ username: 'wesley', password: 'shutup' }))).json(), { name: 'wesley', admin: false })
  })

  test('with a form: on to the repositories', async () => {
    const response = await call('/login', { method: 'POST', body: new URLSearchParams({ username: 'picard', password: 'engage' }) })
    assert.equal(response.status, 303)
    assert.equal(response.headers.get('location'), '/')
    assert.match(await (await call('/', asHtml(sessionOf(response)))).text(), /picard/)
  })

  test('wrong passwords, unknown names and missing fields', async () => {
    for (const [username, password] of [['picard', 'shutup'], ['q', 'engage'], ['', '']]) {
      const response = await call('/login', json({ username, password }))
      assert.equal(response.status, 401)
      assert.deepEqual(response.headers.getSetCookie(), [])
      assert.equal((await response.json() as { code: string }).code, 'DEMO_LOGIN_FAILED')
    }
    const form = await call('/login', { method: 'POST', body: new URLSearchParams({ username: 'picard', password: 'x' }), ...asHtml() })
    assert.equal(form.status, 401)
    assert.match(await form.text(), /Wrong user name or password/)
    assert.equal((await call('/login', json({ username: 'picard' }))).status, 400)
  })

  test('only an admin gets links to profile', async () => {
    const [picard, wesley] = [await login(origin, 'picard', 'engage'), await login(origin, 'wesley', 'shutup')]
    const pages = await Promise.all([picard, wesley, ''].map(async cookie => (await call('/', asHtml(cookie))).text()))
    assert.match(pages[0] ?? '', /href="\/slow\/cpu\?ms=500&amp;__geordi__"/)
    assert.match(pages[0] ?? '', /href="\/repositories\/warp-core\?__geordi__"/)
    assert.match(pages[1] ?? '', /wesley/)
    assert.doesNotMatch(pages[1] ?? '', /__geordi__/)
    assert.doesNotMatch(pages[2] ?? '', /__geordi__/)
  })

  test('altered and expired cookies, and logging out', async () => {
    const cookie = await login(origin, 'wesley', 'shutup')
    const loggedIn = async (value: string) => (await (await call('/', asHtml(value))).text()).includes('Log out')
    const signed = (value: string) => `session=${encodeURIComponent(app.signCookie(value))}`
    const later = Math.floor(Date.now() / 1000) + 60
    assert.equal(await loggedIn(cookie), true)
    assert.equal(await loggedIn(cookie.replace('wesley', 'picard')), false)
    assert.equal(await loggedIn(signed(`picard.${later}`)), true)
    assert.equal(await loggedIn(signed(`picard.${later - 120}`)), false)
    assert.equal(await loggedIn(signed(`q.${later}`)), false)
    assert.equal(await loggedIn(signed('picard')), false)
    const response = await call('/logout', { method: 'POST', ...asHtml(cookie) })
    assert.equal(response.status, 303)
    assert.match(response.headers.getSetCookie()[0] ?? '', /^session=;/)
  })

  test('a flagged request is captured for an admin, and served as always for anybody else', async () => {
    const flagged = (cookie: string) => call('/slow/queries?n=2&__geordi__', { headers: { accept: 'application/json', cookie } })
    assert.equal((await flagged(await login(origin, 'picard', 'engage'))).status, 202)
    for (const cookie of [await login(origin, 'wesley', 'shutup'), '']) {
      const response = await flagged(cookie)
      assert.equal(response.status, 200)
      assert.equal((await response.json() as { queries: number }).queries, 2)
    }
  })
})

describe('pages', () => {
  test('are HTML for a browser and JSON for who asks for it', async () => {
    const { repositories } = await (await call('/', { headers: { accept: 'application/json' } })).json() as { repositories: Array<{ name: string }> }
    assert.equal(repositories.length, 12)
    const view = await (await call('/repositories/holodeck?page=2', { headers: { accept: 'application/json' } })).json() as
      { page: number, commits: Array<{ id: string, message: string, paths: string[] }>, files: unknown[] }
    assert.equal(view.page, 2)
    assert.equal(view.commits.length, 40)
    assert.equal(view.files.length, 36)
    const commit = view.commits[0]
    const page = await call(`/repositories/holodeck/commits/${commit?.id}`)
    assert.match(page.headers.get('content-type') ?? '', /^text\/html/)
    assert.match(page.headers.get('content-security-policy') ?? '', /default-src 'none'/)
    assert.ok((await page.text()).includes(commit?.id ?? 'no id'))
    const file = await (await call(`/repositories/holodeck/files/${commit?.paths[0]}`)).text()
    assert.match(file, /<span class="keyword">export<\/span>/)
  })

  test('that do not exist', async () => {
    for (const path of ['/nowhere', '/repositories/nowhere', `/repositories/holodeck/commits/${'0'.repeat(40)}`, '/repositories/holodeck/files/no.ts']) {
      assert.equal((await call(path)).status, 404, path)
    }
    const page = await call('/<i>x</i>', asHtml())
    assert.equal(page.status, 404)
    assert.doesNotMatch(await page.text(), /<i>x/)
    assert.equal((await call('/repositories/%00')).status, 400)
  })

  test('escape whatever comes from the database', async () => {
    const evil = '</a><script>alert("&\')</script>'
    await call('/slow/import', json({ commits: [{ repository: 'duty-roster', author: evil, message: evil, committedAt: '2038-01-01T00:00:00Z' }] }))
    const list = await (await call('/repositories/duty-roster', asHtml())).text()
    const escaped = '&lt;/a&gt;&lt;script&gt;alert(&quot;&amp;&#39;)&lt;/script&gt;'
    const id = new RegExp(`href="/repositories/duty-roster/commits/([0-9a-f]{40})">${escaped.replace(/[()]/g, '\\$&')}`).exec(list)?.[1]
    const single = await (await call(`/repositories/duty-roster/commits/${id}`, asHtml())).text()
    for (const page of [list, single]) {
      assert.ok(page.split(escaped).length > 2, 'message and author')
      assert.doesNotMatch(page, /<script/)
    }
  })
})

describe('imports', () => {
  const commit = { repository: 'visor-firmware', author: 'Geordi La Forge', message: 'See more' }
  const upload = (content: string, name: string) => {
    const form = new FormData()
    form.set('note', 'a field beside the file')
    form.set('file', new Blob([content]), name)
    return call('/slow/import', { method: 'POST', body: form })
  }

  test('/slow/import inserts each commit once: JSON, and a form with JSON or CSV', async () => {
    const before = await countRows('commits')
    const sample = await (await call('/slow/import/sample.csv')).text()
    const answers = [
      await call('/slow/import', json({ commits: Array(7).fill(commit) })),
      await upload(JSON.stringify([commit, commit]), 'commits.json'),
      await upload(sample, 'commits.csv'),
      await call('/slow/import', json({ commits: [] }))
    ]
    for (const answer of answers) assert.equal(answer.status, 200)
    assert.deepEqual(await Promise.all(answers.map(answer => answer.json())), [{ imported: 7 }, { imported: 2 }, { imported: 500 }, { imported: 0 }])
    assert.equal(await countRows('commits'), before + 509)
  })

  test('/slow/import inserts nothing when anything is wrong', async () => {
    const before = await countRows('commits')
    const status = async (response: Promise<Response>) => (await response).status
    const before400 = [
      call('/slow/import', json({ commits: [commit, { ...commit, repository: 'nowhere' }] })),
      call('/slow/import', json({ commits: [commit, { ...commit, author: undefined }] })),
      call('/slow/import', json({ commits: [commit, { ...commit, committedAt: 'soon' }] })),
      call('/slow/import', json({ commits: [{ ...commit, message: 'a\u0000b' }] })),
      call('/slow/import', json([])),
      call('/slow/import', { method: 'POST' }),
      call('/slow/import', { method: 'POST', body: new URLSearchParams({ commits: 'abc' }) }),
      upload('nothing of the kind', 'commits.csv'),
      call('/slow/import', { method: 'POST', body: new FormData() })
    ]
    for (const [index, response] of before400.entries()) assert.equal(await status(response), 400, `case ${index}`)
    assert.equal(await countRows('commits'), before)
  })
})

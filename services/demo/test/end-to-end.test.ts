import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { after, before, describe, test } from 'node:test'
import { join } from 'node:path'
import { FINAL_STATES } from '@geordi/replay'
import { findRedisServer } from '@geordi/replay/local'
import { slowRoutes } from '../src/slow/table.ts'
import { until } from './processes.ts'
import { cheapUrl } from './running-app.ts'
import { folder, startAll, toolsOnly, type Started } from './started.ts'
import type { Replay, ReplayState } from '@geordi/replay'

const LIMIT = { timeout: 120_000 }
const needsPdftotext = !works('pdftotext', ['-v']) && 'needs pdftotext (poppler-utils)'

for (const kind of ['postgres', 'redis'] as const) {
  const skip = kind === 'redis' && findRedisServer() === null && 'needs redis-server or valkey-server on the PATH'

  // What becomes of a request is the same with any queue (see the conformance suite of @geordi/replay), and shown with one.
  const testOnce = kind === 'postgres' ? test : () => {}

  describe(`from ?__geordi__ to a PDF with the queue in ${kind}`, { skip }, () => {
    let started: Started
    let picard: string
    let wesley: string

    before(async () => {
      started = await startAll({ GEORDI_DATA: join(folder, kind), ...kind === 'postgres' && { PATH: toolsOnly } })
      picard = await login('picard', 'engage')
      wesley = await login('wesley', 'shutup')
    })
    after(async () => {
      started?.process.kill('SIGTERM')
      await started?.exitCode
    })

    test('a flagged GET gives the call graph of its handler', { ...LIMIT, skip: needsPdftotext }, async () => {
      const { headers, pdf } = await follow('/slow/cpu?ms=300&__geordi__', { headers: { cookie: picard } })
      assert.equal(headers.get('content-type'), 'application/pdf')
      assert.equal(headers.get('content-disposition'), 'inline; filename="GET-slow-cpu.pdf"')
      const text = textOf(pdf)
      assert.match(text, /GET \/slow\/cpu\?ms=300/)
      assert.doesNotMatch(text, /__geordi__/)
      for (const name of ['longestCommonSubsequence', 'diffRevisions', 'picard', 'Answer', '200', 'v8-profiler-next|node:inspector']) {
        assert.match(text, new RegExp(name), name)
      }
    })

    testOnce('a flagged POST of JSON does its work in the replay, once', { ...LIMIT, skip: needsPdftotext }, async () => {
      const before = await countCommits()
      const commits = Array.from({ length: 7 }, (_, index) => ({ repository: 'warp-core', author: 'Picard', message: `Engage ${index}` }))
      const { pdf } = await follow('/slow/import?__geordi__', {
        method: 'POST', headers: { cookie: picard, 'content-type': 'application/json' }, body: JSON.stringify({ commits })
      })
      assert.match(textOf(pdf), /POST \/slow\/import/)
      assert.equal(await countCommits(), before + 7)
    })

    testOnce('a flagged POST of a form with a file, too', { ...LIMIT, skip: needsPdftotext }, async () => {
      const before = await countCommits()
      const rows = Array.from({ length: 2000 }, (_, index) => `warp-core,Data,"Row ${index}",2026-01-01T00:00:00.000Z`)
      const form = new FormData()
      form.append('file', new Blob([['repository,author,message,committedAt', ...rows, ''].join('\r\n')], { type: 'text/csv' }), 'commits.csv')
      const { pdf } = await follow('/slow/import?__geordi__', { method: 'POST', headers: { cookie: picard }, body: form })
      assert.match(textOf(pdf), /POST \/slow\/import/)
      assert.equal(await countCommits(), before + 2000)
    })

    test('JSON is told the state until it is done, and what the app answered', LIMIT, async () => {
      const queued = await fetch(`${started.url}/slow/queries?n=50&__geordi__`, { headers: { cookie: picard, accept: 'application/json' } })
      assert.equal(queued.status, 202)
      const { id, url, pdf, state } = await queued.json() as Record<string, string>
      assert.equal(state, 'queued')
      assert.equal(url, `/__geordi__/${id}`)
      assert.equal((await follow(`${pdf}?wait`, { headers: { cookie: picard } })).headers.get('content-type'), 'application/pdf')
      const replay = await (await fetch(started.url + url, { headers: { cookie: picard, accept: 'application/json' } })).json() as Record<string, unknown>
      assert.deepEqual({ ...replay, state: replay['state'], statusCode: replay['statusCode'], ran: replay['ran'] }, { ...replay, state: 'done', statusCode: 200, ran: true })

      const raw = await fetch(`${started.url}${url}/profile.cpuprofile`, { headers: { cookie: picard } })
      const profile = await raw.json() as { samples: number[], geordi: { run: { response: { statusCode: number } } } }
      assert.ok(profile.samples.length > 0)
      assert.equal(profile.geordi.run.response.statusCode, 200)
    })

    // Only the cache depends on the queue's kind. That each of the others runs in a replay process, the test of the findings shows.
    const routes = slowRoutes.filter(({ path }) => path === '/slow/cache')
    test('/slow/cache runs in the replay process as it does in the web process', { timeout: 240_000 }, async () => {
      assert.equal(routes.length, 1)
      const queued = await Promise.all(routes.map(async route => {
        const answer = await fetch(`${started.url}${cheapUrl(route, '__geordi__')}`, { headers: { cookie: picard, accept: 'application/json' } })
        assert.equal(answer.status, 202, route.path)
        return { path: route.path, ...await answer.json() as { url: string } }
      }))
      for (const { path, url } of queued) {
        let replay: Partial<Replay> = {}
        await until(async () => {
          replay = await (await fetch(started.url + url, { headers: { cookie: picard, accept: 'application/json' } })).json() as Replay
          return FINAL_STATES.has(replay.state as ReplayState)
        }, () => `${path} is ${replay.state}`, 200_000)
        assert.deepEqual([replay.state, replay.statusCode], ['done', 200], `${path}: ${JSON.stringify(replay)}`)
      }
    })

    testOnce('a non-admin is served as always, and sees no page of geordi\'s', LIMIT, async () => {
      const plain = await fetch(`${started.url}/slow/queries?n=3`, { headers: { cookie: wesley } })
      const flagged = await fetch(`${started.url}/slow/queries?n=3&__geordi__`, { headers: { cookie: wesley }, redirect: 'manual' })
      assert.equal(flagged.status, 200)
      // But for the times that it took.
      const [flaggedBody, plainBody] = [await flagged.json() as Record<string, unknown>, await plain.json() as Record<string, unknown>]
      assert.deepEqual(Object.keys(flaggedBody), Object.keys(plainBody))
      assert.deepEqual([flaggedBody['queries'], flaggedBody['authors']], [plainBody['queries'], plainBody['authors']])

      const queued = await fetch(`${started.url}/?__geordi__`, { headers: { cookie: picard, accept: 'application/json' } })
      const { url, pdf } = await queued.json() as { url: string, pdf: string }
      for (const address of [url, pdf, '/__geordi__/nothing']) {
        for (const cookie of [wesley, '']) {
          const answer = await fetch(started.url + address, { headers: { cookie, accept: 'application/json' } })
          assert.equal(answer.status, 404)
          assert.deepEqual(await answer.json(), { statusCode: 404, code: 'DEMO_NOT_FOUND', error: 'Not Found', message: `There is no GET ${address}.` })
        }
      }
      assert.equal((await follow(`${pdf}?wait`, { headers: { cookie: picard } })).headers.get('content-type'), 'application/pdf')
    })

    async function login (username: string, password: string): Promise<string> {
      const answer = await fetch(`${started.url}/login`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ username, password }) })
      assert.equal(answer.status, 200)
      return answer.headers.getSetCookie()[0]!.split(';')[0]!
    }

    /** As `curl -L`: follows 303s with a GET that carries the cookie. */
    async function follow (path: string, { headers, ...init }: RequestInit & { headers: Record<string, string> }): Promise<{ headers: Headers, pdf: Buffer }> {
      let answer = await fetch(started.url + path, { ...init, headers, redirect: 'manual' })
      while (answer.status === 303) {
        answer = await fetch(started.url + answer.headers.get('location')!, { headers: { cookie: headers['cookie']! }, redirect: 'manual' })
      }
      const body = Buffer.from(await answer.arrayBuffer())
      assert.equal(answer.status, 200, body.toString())
      return { headers: answer.headers, pdf: body }
    }

    async function countCommits (): Promise<number> {
      const answer = await fetch(`${started.url}/repositories/warp-core`, { headers: { accept: 'application/json' } })
      return (await answer.json() as { repository: { commits: number } }).repository.commits
    }
  })
}

function textOf (pdf: Buffer): string {
  return execFileSync('pdftotext', ['-layout', '-', '-'], { input: pdf, encoding: 'utf8' })
}

function works (program: string, args: string[]): boolean {
  try {
    execFileSync(program, args, { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

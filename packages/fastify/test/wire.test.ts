import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { AuditEvent } from '@geordi/fastify'
import { ADMIN, head, queueServer, raw, start, take } from './support.ts'

const server = await queueServer()
const ID = 'AAAAAAAAAAAAAAAAAAAAAA'

/** What is written to the socket behind the request line and an admin's own headers. */
interface Attack {
  readonly line: string
  readonly headers?: readonly string[]
  readonly body?: string
  /** The status line's code; none where the server closes without a word. */
  readonly status: number | undefined
  /** What the audit tells of it: an action, of what. */
  readonly told?: string
}

const text = 'Content-Type: text/plain'
const elsewhere = { status: 403, told: 'refusal POST /x GEORDI_FROM_ELSEWHERE' } as const

/** By hand, as no client would send them. */
const ATTACKS: Readonly<Record<string, Attack>> = {
  'a flag that is percent-encoded is the app\'s': { line: 'GET /x?%5F%5Fgeordi%5F%5F HTTP/1.1', status: 200 },
  'a flag behind a semicolon is the app\'s': { line: 'GET /x?a=1;__geordi__ HTTP/1.1', status: 200 },
  'a flag given three times is one': { line: 'GET /x?__geordi__&__geordi__=2&a=1&__geordi__ HTTP/1.1', status: 202, told: 'capture GET /x' },
  'the absolute form': { line: 'GET http://elsewhere.example/x?__geordi__ HTTP/1.1', status: 202, told: 'capture GET http://elsewhere.example/x' },
  'HTTP/1.0': { line: 'GET /x?__geordi__ HTTP/1.0', status: 202, told: 'capture GET /x' },
  'line breaks in a value': { line: 'GET /x?__geordi__&a=%0d%0aSet-Cookie:%20a=b HTTP/1.1', status: 202, told: 'capture GET /x' },
  CONNECT: { line: 'CONNECT x:443 HTTP/1.1', status: undefined },
  'OPTIONS *': { line: 'OPTIONS * HTTP/1.1', status: 404 },
  'two lengths': { line: 'POST /x?__geordi__ HTTP/1.1', headers: [text, 'Content-Length: 4', 'Transfer-Encoding: chunked'], body: '0\r\n\r\nGET /smuggled HTTP/1.1\r\n\r\n', status: 400 },
  'an encoding that is none': { line: 'POST /x?__geordi__ HTTP/1.1', headers: [text, 'Transfer-Encoding: xchunked'], body: 'abc', status: 400 },
  'a chunk without a size': { line: 'POST /x?__geordi__ HTTP/1.1', headers: [text, 'Transfer-Encoding: chunked'], body: 'ZZ\r\n', status: 400 },
  'a length that nobody has': { line: 'POST /x?__geordi__ HTTP/1.1', headers: [text, 'Content-Length: 99999999999'], body: 'abc', status: 413 },
  'two origins': { line: 'POST /x?__geordi__ HTTP/1.1', headers: ['Content-Length: 0', 'Origin: http://x', 'Origin: https://elsewhere'], ...elsewhere },
  'the origin null': { line: 'POST /x?__geordi__ HTTP/1.1', headers: ['Content-Length: 0', 'Origin: null'], ...elsewhere },
  'a site that is two': { line: 'GET /x?__geordi__ HTTP/1.1', headers: ['Sec-Fetch-Site: same-origin', 'Sec-Fetch-Site: cross-site'], status: 200, told: 'refusal GET /x GEORDI_FROM_ELSEWHERE' },
  'a way out of the prefix': { line: 'GET /__geordi__/../../etc/passwd HTTP/1.1', status: 404 },
  'an encoded way out of it': { line: `GET /__geordi__/${ID}/..%2freport.pdf HTTP/1.1`, status: 404 },
  'the captured request as an artefact': { line: `GET /__geordi__/${ID}/capture HTTP/1.1`, status: 404 },
  'an id of 8000 letters': { line: `GET /__geordi__/${'A'.repeat(8000)} HTTP/1.1`, status: 404 },
  'an id that every object has': { line: 'GET /__geordi__/__proto__/report.pdf HTTP/1.1', status: 404 },
  'an order that is a GET': { line: `GET /__geordi__/${ID}/cancel HTTP/1.1`, status: 404 },
  'an order from elsewhere': { line: `POST /__geordi__/${ID}/cancel HTTP/1.1`, headers: ['Content-Length: 0', 'Origin: https://elsewhere'], status: 403, told: `refusal POST /__geordi__/${ID}/cancel GEORDI_FROM_ELSEWHERE` }
}

describe('an admin\'s connection in which anything is written', () => {
  it('captures what it asks for and nothing else, tells the audit, and is answered', async t => {
    const told: string[] = []
    const audit = ({ action, method, path, code }: AuditEvent) => { told.push([action, method, path, code].filter(part => part !== undefined).join(' ')) }
    const paths: string[] = []
    const { port, name } = await start(t, server.url, app => {
      app.addHook('onRequest', async request => { paths.push(request.url) })
      app.all('/x', async () => 'the app')
    }, { audit })
    for (const [what, { line, headers = [], body = '', status, told: expected }] of Object.entries(ATTACKS)) {
      told.length = 0
      const answer = await raw(port, head(line, 'Host: x', 'Connection: close', 'Accept: application/json', ADMIN.join(': '), ...headers) + body)
      assert.equal(/^HTTP\/1\.1 (\d+) /.exec(answer)?.[1], status === undefined ? undefined : String(status), `${what}: ${answer}`)
      assert.doesNotMatch(answer, /^set-cookie/im, what)
      assert.deepEqual(told, expected === undefined ? [] : [expected], what)
    }
    assert.ok(!paths.includes('/smuggled'))
    const taker = await take(t, { url: server.url, name })
    const captured = Object.values(ATTACKS).filter(({ told }) => told?.startsWith('capture'))
    const urls: string[] = []
    while (urls.length < captured.length) urls.push((await taker.next()).request.url)
    assert.deepEqual(urls, ['/x?a=1', 'http://elsewhere.example/x', '/x', '/x?a=%0d%0aSet-Cookie:%20a=b'])
  })
})

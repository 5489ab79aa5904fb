import assert from 'node:assert/strict'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'
import Fastify, { type FastifyInstance, type FastifyServerOptions } from 'fastify'
import { atEnd, head, raw } from './support.ts'

/** A request line (`GET /path`), and what it sends. */
export type Line = [line: string, type?: string, body?: string]

const withoutDate = (answer: string) => answer.replace(/^date: .*\r\n/im, '')

/** Starts the app without geordi and gives its port. */
export async function startPlain (t: TestContext, routes: (app: FastifyInstance) => unknown, options: FastifyServerOptions = {}): Promise<number> {
  const app = Fastify({ forceCloseConnections: true, ...options })
  atEnd(t, () => app.close())
  await routes(app)
  await app.listen({ host: '127.0.0.1', port: 0 })
  return (app.server.address() as AddressInfo).port
}

/** Both apps answer a request of nobody's in the same bytes; gives them. */
export async function assertSameAnswer (without: number, withGeordi: number, [line, type, body]: Line): Promise<string> {
  const length = body === undefined ? line.startsWith('POST') ? ['Content-Length: 0'] : [] : [`Content-Length: ${Buffer.byteLength(body)}`]
  const request = head(`${line} HTTP/1.1`, 'Host: example', 'Connection: close', ...(type === undefined ? [] : [`Content-Type: ${type}`]), ...length) + (body ?? '')
  const [expected, answer] = await Promise.all([raw(without, request), raw(withGeordi, request)])
  assert.match(expected, /^HTTP\/1\.1 \d/, `${line}: the app alone answers`)
  assert.equal(withoutDate(answer), withoutDate(expected), line)
  return expected
}

import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http'
import { connect, type AddressInfo, type Socket } from 'node:net'
import { after, type TestContext } from 'node:test'
import { buffer } from 'node:stream/consumers'
import { setTimeout as delay } from 'node:timers/promises'
import Fastify, { type FastifyInstance, type FastifyRequest, type FastifyServerOptions } from 'fastify'
import { geordi, type GeordiOptions } from '@geordi/fastify'
import { Replays, type ReplayTask } from '@geordi/replay'
import { startLocalServer, type LocalServer } from '@geordi/replay/local'

export const SECRET = 'a secret of at least 32 characters'
/** Milliseconds that an app waits for a queue server that is there: a loaded machine answers when it can. */
export const PATIENCE = 30_000
/** What {@link isAdmin} wants to see. */
export const ADMIN = ['Authorization', 'picard'] as const

export const isAdmin = (request: FastifyRequest): boolean => request.headers.authorization === ADMIN[1]

/** A name that no other test's queue has. */
export function unique (): string {
  return `t${randomBytes(8).toString('hex')}`
}

/** One queue server for all tests of a file: Redis where there is one, else the embedded PostgreSQL. */
export async function queueServer (kind: 'redis' | 'postgres' | 'auto' = 'auto'): Promise<LocalServer> {
  const server = await startLocalServer({ kind })
  after(() => server.stop())
  return server
}

/** Waits until something is so; the test's own time limit is the only one. */
export async function until (holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!await holds()) await delay(5)
}

const cleanUps = new WeakMap<TestContext, Array<() => unknown>>()

/** Cleans up after a test, the last thing first: `t.after` would begin with the first. */
export function atEnd (t: TestContext, cleanUp: () => unknown): void {
  const known = cleanUps.get(t)
  if (known !== undefined) {
    known.push(cleanUp)
    return
  }
  const list = [cleanUp]
  cleanUps.set(t, list)
  t.after(async () => {
    for (const one of list.reverse()) await one()
  })
}

export interface Running {
  readonly app: FastifyInstance
  readonly port: number
  /** The queue's name. */
  readonly name: string
}

export interface AppOptions extends Partial<GeordiOptions> {
  readonly server: FastifyServerOptions
  /** Runs before geordi is registered. */
  readonly before: (app: FastifyInstance) => unknown
}

/** Starts an app with geordi on a free port, its routes registered after the plugin. */
export async function start (t: TestContext, url: string, routes: (app: FastifyInstance) => unknown, options: Partial<AppOptions> = {}): Promise<Running> {
  const { server, before, ...geordiOptions } = options
  const name = unique()
  const app = Fastify({ forceCloseConnections: true, ...server })
  atEnd(t, () => app.close())
  await before?.(app)
  await app.register(geordi, { isAdmin, secret: SECRET, queue: { url, name, timeout: PATIENCE }, ...geordiOptions })
  await routes(app)
  await app.listen({ host: '127.0.0.1', port: 0 })
  return { app, name, port: (app.server.address() as AddressInfo).port }
}

/** A worker that takes replays and holds them until the test is over. */
export interface Taker {
  /** The next replay of the queue. */
  next (): Promise<ReplayTask>
}

export async function take (t: TestContext, { url, name }: { url: string, name: string }): Promise<Taker> {
  const replays = await Replays.open({ url, name, secret: SECRET, role: 'worker' })
  const waiting: ReplayTask[] = []
  let wake = () => {}
  let release = () => {}
  const over = new Promise<void>(resolve => { release = resolve })
  const consumer = await replays.consume(async task => {
    waiting.push(task)
    wake()
    await over
  }, { concurrency: 20, onError: () => {} })
  atEnd(t, async () => {
    release()
    await consumer.close()
    await replays.close()
  })
  return {
    async next () {
      while (waiting.length === 0) await new Promise<void>(resolve => { wake = resolve })
      return waiting.shift()!
    }
  }
}

export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
  readonly bytes: Buffer
}

export interface Ask {
  readonly method?: string
  readonly headers?: Record<string, string>
  readonly body?: string | Buffer
  readonly admin?: boolean
  readonly accept?: string
}

/** One request on a connection of its own, redirects not followed. An admin's, unless told otherwise. */
export async function ask (port: number, path: string, { method = 'GET', headers = {}, body, admin = true, accept }: Ask = {}): Promise<Answer> {
  const all = { ...(admin ? { [ADMIN[0]]: ADMIN[1] } : {}), ...(accept === undefined ? {} : { accept }), ...headers }
  const request = httpRequest({ host: '127.0.0.1', port, path, method, headers: all, agent: false })
  request.end(body)
  const [response] = await once(request, 'response')
  const bytes = await buffer(response)
  return { status: response.statusCode, headers: response.headers, text: bytes.toString(), bytes }
}

/** The JSON answer to a flagged request. */
export interface Queued { readonly id: string, readonly state: string, readonly url: string, readonly pdf: string }

/** Sends an admin's flagged request and gives what was queued. */
export async function queue (port: number, path: string, options: Ask = {}): Promise<Queued> {
  const answer = await ask(port, path, { accept: 'application/json', ...options })
  assert.equal(answer.status, 202, answer.text)
  return JSON.parse(answer.text) as Queued
}

/** A connection whose bytes the test writes itself. */
export async function dial (port: number): Promise<Socket> {
  const socket = connect({ host: '127.0.0.1', port })
  await once(socket, 'connect')
  return socket
}

/** Sends bytes as they are and gives all that comes back until the server ends the connection. */
export async function raw (port: number, ...parts: Array<string | Buffer>): Promise<string> {
  const socket = await dial(port)
  for (const part of parts) socket.write(part, 'latin1')
  return readAll(socket)
}

/** All that comes until the other side ends or breaks the connection. */
export async function readAll (socket: Socket): Promise<string> {
  const chunks: Buffer[] = []
  socket.on('data', chunk => chunks.push(chunk))
  await new Promise<void>(resolve => socket.on('error', () => {}).once('close', () => resolve()))
  return Buffer.concat(chunks).toString('latin1')
}

/** The lines of a request's head. */
export function head (...lines: string[]): string {
  return [...lines, '', ''].join('\r\n')
}

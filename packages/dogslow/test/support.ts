import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import type { AddressInfo, Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import Fastify, { type FastifyInstance, type FastifyServerOptions } from 'fastify'
import { dogslow, type DogslowEvent, type DogslowOptions, type Digest, type ProfileQueued, type Report, type RequestEnd } from '@geordi/dogslow'
import { SNAPSHOTS } from '../src/interrupt.ts'

/** As it is before dogslow notes timers: what a test waits for is not to use up a budget. */
const later = setTimeout

/** Waits until something is so; the test's own time limit is the only one. */
export async function until<Value> (find: () => Value | undefined | false): Promise<Value> {
  for (;;) {
    const found = find()
    if (found !== undefined && found !== false) return found
    await new Promise(resolve => { later(resolve, 5) })
  }
}

const cleanUps = new WeakMap<TestContext, Array<() => unknown>>()

/** Cleans up after a test, the last thing first; what fails keeps nothing else from being done. */
export function atEnd (t: TestContext, cleanUp: () => unknown): void {
  const known = cleanUps.get(t)
  if (known !== undefined) {
    known.push(cleanUp)
    return
  }
  const list = [cleanUp]
  cleanUps.set(t, list)
  t.after(async () => {
    const errors: unknown[] = []
    for (const one of list.reverse()) {
      try {
        await one()
      } catch (error) {
        errors.push(error)
      }
    }
    if (errors.length > 0) throw new AggregateError(errors)
  })
}

export interface Running {
  readonly app: FastifyInstance
  readonly origin: string
  /** What the function sink was given. */
  readonly events: DogslowEvent[]
  readonly reports: () => Report[]
  readonly ends: () => RequestEnd[]
  readonly digests: () => Digest[]
  readonly profiles: () => ProfileQueued[]
  /** Asks, and doesn't mind how it ends. */
  readonly ask: (path: string, init?: RequestInit) => Promise<number | undefined>
}

/** Starts an app with dogslow on a free port. Its log is off, unless the server's options say otherwise. */
export async function start (t: TestContext, options: DogslowOptions, routes: (app: FastifyInstance) => unknown, server: FastifyServerOptions = {}): Promise<Running> {
  const events: DogslowEvent[] = []
  const app = Fastify({ forceCloseConnections: true, ...server })
  atEnd(t, () => app.close())
  const report = [(event: DogslowEvent) => { events.push(event) }, ...[options.report ?? []].flat() as Array<(event: DogslowEvent) => unknown>]
  await app.register(dogslow, { log: server.logger !== undefined, threshold: 100, ...options, report })
  await routes(app)
  await app.listen({ host: '127.0.0.1', port: 0 })
  countInterruptions()
  const origin = `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`
  const of = <Type extends DogslowEvent['type']>(type: Type) => () => events.filter((event): event is Extract<DogslowEvent, { type: Type }> => event.type === type)
  return {
    app,
    origin,
    events,
    reports: of('report'),
    ends: of('end'),
    digests: of('digest'),
    profiles: of('profile'),
    ask: async (path, init) => await fetch(origin + path, init).then(async response => {
      await response.arrayBuffer()
      return response.status
    }, () => undefined)
  }
}

/** Lets code wait until the test lets it go on. */
export function gate (t: TestContext): { readonly wait: () => Promise<void>, readonly open: () => void } {
  let open = () => {}
  const opened = new Promise<void>(resolve => { open = resolve })
  atEnd(t, () => open())
  return { wait: async () => await opened, open }
}

export async function temporaryFolder (t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'geordi-dogslow-'))
  atEnd(t, () => rm(folder, { recursive: true, force: true }))
  return folder
}

export async function listen (t: TestContext, server: Server): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  atEnd(t, () => new Promise(resolve => {
    (server as { closeAllConnections?: () => void }).closeAllConnections?.()
    server.close(resolve)
  }))
  return (server.address() as AddressInfo).port
}

/** How often a watcher has interrupted this thread and been told more than that there is nothing to tell; shared, so that a loop reads it each time. */
const interruptions = new Int32Array(new SharedArrayBuffer(4))

function countInterruptions (): void {
  const answers = (globalThis as unknown as Record<symbol, Map<string, (question: unknown) => string>>)[SNAPSHOTS]!
  for (const [instance, answer] of answers) {
    answers.set(instance, question => {
      const text = answer(question)
      if ((JSON.parse(text) as { type: string }).type !== 'idle') Atomics.add(interruptions, 0, 1)
      return text
    })
  }
}

/** Whether a watcher has interrupted this thread so many times from now on. */
export function interrupted (times = 1): () => boolean {
  const enough = Atomics.load(interruptions, 0) + times
  return () => Atomics.load(interruptions, 0) >= enough
}

/** Blocks the thread until a watcher has seen that, so many times. */
export function burn (times = 1): void {
  for (const enough = Atomics.load(interruptions, 0) + times; Atomics.load(interruptions, 0) < enough;);
}

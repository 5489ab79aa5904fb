import assert from 'node:assert/strict'
import { after, afterEach, before } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { openBackend, Replays, type Backend, type BackendOptions, type CapturedRequest, type Replay, type ReplayError } from '@geordi/replay'
import { startLocalServer, type LocalServer } from '@geordi/replay/local'

export const SECRET = 'a secret of at least 32 characters'

/** For a web process whose server is there: a loaded machine answers when it can. In milliseconds. */
export const PATIENCE = 30_000

export type Undo = () => Promise<unknown> | undefined

/**
 * The last first, each of them even where one fails. `t.after` would begin with the first, so a server would be stopped
 * after its folder is gone, and leave out all that follow a failure: a server that runs on keeps this process from ending.
 */
export async function undone (undo: Undo[]): Promise<void> {
  const failures: unknown[] = []
  for (const step of undo.reverse()) await step()?.catch(error => failures.push(error))
  if (failures.length > 0) throw new AggregateError(failures, 'not everything was undone')
}

let count = 0
/** A name of its own for each test: nothing has to be cleaned up between them. */
export function unique (): string {
  return `t${process.pid}_${count++}`
}

export function bytes (text: string): Buffer {
  return Buffer.from(text)
}

export function sampleRequest (): CapturedRequest {
  return {
    method: 'POST',
    url: '/captain?log=1',
    httpVersion: '1.1',
    rawHeaders: ['Host', 'enterprise', 'Cookie', 'session=1701', 'X-Dup', '1', 'x-dup', '2'],
    body: Buffer.from([0, 255, 98, 111, 100, 121]),
    connection: { encrypted: false, remoteAddress: '192.0.2.1', remotePort: 47 },
    capturedAt: 1_795_424_475_623,
    by: 'picard',
    context: { user: 7 }
  }
}

/** Submits where it does not matter that a busy machine can miss the web process's deadline; what missed it never runs. */
export async function submitted (web: Replays): Promise<Replay> {
  let replay: Replay | undefined
  await until(async () => {
    replay = await web.submit(sampleRequest()).catch(error => {
      if (error.code !== 'GEORDI_QUEUE_UNAVAILABLE') throw error
      return undefined
    })
    return replay !== undefined
  })
  return replay!
}

/** Waits for a condition, not for a time; the limit only ends a test that has failed. */
export async function until (condition: () => boolean | Promise<boolean>, limit = 60_000): Promise<void> {
  for (const end = Date.now() + limit; !await condition(); await delay(20)) {
    if (Date.now() > end) assert.fail(`waited ${limit} ms in vain for ${condition}`)
  }
}

/** A server of a kind for one suite, with what its tests open there; that is closed after each of them. */
export function served (kind: 'redis' | 'postgres') {
  let server: LocalServer
  const opened: Array<{ close (): Promise<void> }> = []

  before(async () => { server = await startLocalServer({ kind }) })
  // Not at the end of all: PostgreSQL takes a hundred connections.
  afterEach(() => undone(opened.splice(0).map(one => () => one.close())))
  after(() => server?.stop())

  const keep = <T extends { close (): Promise<void> }> (one: T): T => {
    opened.push(one)
    return one
  }
  const backend = async (options: Partial<BackendOptions> = {}): Promise<Backend> =>
    keep(await openBackend({ url: server.url, name: unique(), role: 'web', timeout: PATIENCE, ...options }))
  const replaysOf = async (name: string, role: 'web' | 'worker', secret: string | string[] = SECRET, maxQueueTime = 3600) =>
    keep(await Replays.open({ url: server.url, name, secret, role, maxQueueTime, timeout: PATIENCE }))
  /** Consumes until a condition holds, and tells what was run and what was refused. */
  const consumed = async (worker: Replays, enough: (ran: string[], refused: ReplayError[]) => boolean) => {
    const ran: string[] = []
    const refused: ReplayError[] = []
    const consumer = await worker.consume(async task => {
      await task.claim()
      ran.push(task.id)
      await task.update({ state: 'done' })
    }, { onError: error => refused.push(error as ReplayError) })
    await until(() => enough(ran, refused))
    await consumer.close()
    return { ran, refused: refused.map(error => error.code) }
  }
  return { server: () => server, keep, backend, replaysOf, consumed }
}

/** For errors that no test expects. */
export function fail (error: Error): void {
  throw error
}

import assert from 'node:assert/strict'
import { chmodSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import type { TestContext } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { importCpuProfile, type Profile } from '@geordi/profile'
import type { CapturedRequest } from '@geordi/replay'
import { resolveEntry } from '../src/app-entry.ts'
import type { ReplayOutcome } from '../src/assemble.ts'
import { ReplayChild, type ReplayChildOptions } from '../src/replay-child.ts'

// A place of its own for each test file, so that what is left behind is ours.
export const temporary = mkdtempSync(join(tmpdir(), 'worker-test-'))
process.env['TMPDIR'] = temporary
// Where PostgreSQL is the queue server and the tests run as root, its account has to come through.
chmodSync(temporary, 0o711)
// Not in an `after`, which would come before those that end what still works in there.
process.on('exit', () => rmSync(temporary, { recursive: true, force: true }))

export const CLI = fileURLToPath(new URL('../src/cli.js', import.meta.url))

/** The path of a user's app. */
export function fixture (name: string): string {
  return fileURLToPath(new URL(`../../test/fixtures/${name}`, import.meta.url))
}

/** Waits for a condition, not for a time; the limit only ends a test that has failed. */
export async function until (condition: () => boolean | Promise<boolean>, what: string, limit = 60_000): Promise<void> {
  for (const end = Date.now() + limit; !await condition(); await delay(10)) {
    if (Date.now() > end) assert.fail(`waited ${limit} ms in vain: ${what}`)
  }
}

/** Whether there is a process with this id that still runs. */
export async function isAlive (pid: number): Promise<boolean> {
  try {
    process.kill(pid, 0)
  } catch {
    return false
  }
  // A container without an init keeps orphans that have ended as zombies.
  const status = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
  return status === '' ? process.platform !== 'linux' : !/\) Z /.test(status)
}

/** Folders of replay processes that are there now. */
export function replayFolders (): string[] {
  return readdirSync(temporary).filter(name => name.startsWith('geordi-replay-'))
}

/** What an app says: its output as text, and what its `tell()` told. */
export class Output extends Writable {
  text = ''

  override _write (chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.text += chunk.toString()
    done()
  }

  /** The values told under this name, in order; a line that is still under way is not one. */
  told<Value = unknown> (name: string): Value[] {
    return this.text.split('\n').slice(0, -1).filter(line => line.startsWith(`${name}: `)).map(line => JSON.parse(line.slice(name.length + 2)) as Value)
  }
}

/** What fixtures tell of a request that has reached a handler. */
export interface Seen {
  readonly method: string
  readonly url: string
  readonly httpVersion: string
  readonly rawHeaders: string[]
  readonly rawTrailers: string[]
  /** The body's SHA-256 in hexadecimal digits. */
  readonly body: string
  readonly ip: string
  readonly remotePort: number
  readonly protocol: string
}

export function get (url = '/work', changes: Partial<CapturedRequest> = {}): CapturedRequest {
  return {
    method: 'GET',
    url,
    httpVersion: '1.1',
    rawHeaders: ['Host', 'enterprise.example'],
    body: new Uint8Array(),
    connection: { encrypted: false, remoteAddress: '192.0.2.7', remotePort: 1701, remoteFamily: 'IPv4', localAddress: '192.0.2.1', localPort: 443 },
    capturedAt: 1_795_424_475_623,
    by: 'picard',
    ...changes
  }
}

export type AppOptions = Partial<Omit<ReplayChildOptions, 'app'>> & {
  readonly args?: readonly string[]
  /** What the app has told before the request is sent, as a spare's has all the time for. */
  readonly awaits?: string
}

export function options (file: string, { args, awaits, ...changes }: AppOptions = {}): ReplayChildOptions {
  return { app: resolveEntry(file, args), startTimeout: 30_000, interval: 500, waits: true, values: false, closeTimeout: 5_000, output: new Output(), ...changes }
}

/** Starts an app for a test, and ends it with that test. */
export async function startChild (t: TestContext, file: string, changes: AppOptions = {}): Promise<ReplayChild> {
  const child = await ReplayChild.start(options(file, changes))
  t.after(async () => {
    child.kill()
    await child.ended
  })
  return child
}

export interface Replayed extends Omit<ReplayOutcome, 'profile'> {
  readonly output: Output
  readonly profile: Profile
  /** What the handler told of the request; the last one. */
  readonly seen: Seen
}

/** Starts a fixture, replays one request in it and ends it. */
export async function replayIn (file: string, request: CapturedRequest = get(), changes: AppOptions = {}): Promise<Replayed> {
  const output = new Output()
  const child = await ReplayChild.start(options(file, { ...changes, output }))
  try {
    const { awaits } = changes
    if (awaits !== undefined) await until(() => output.told(awaits).length > 0, `the app tells ${awaits}`)
    await child.prepare(request)
    const outcome = await child.replay(request)
    const profile = importCpuProfile(outcome.profile)
    await child.close()
    return { run: outcome.run, output, profile, seen: output.told<Seen>('seen').at(-1)! }
  } finally {
    child.kill()
    await child.ended
  }
}

/** Whether this Node runs TypeScript by itself. */
export const stripsTypes = Boolean((process.features as { typescript?: unknown }).typescript)

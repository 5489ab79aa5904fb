import type { LockKind } from '@geordi/profile'
import { now } from '../clock.ts'
import { activeRecorder, type Recorder } from '../recorder.ts'
import { LockTimes } from './lock-times.ts'

/** Milliseconds: a statement that is open for so long is worth asking about. */
const SLOW = 100
/** So many are kept before those that have ended are let go. */
const MOST_ENDED = 1000

/** A statement that a database works on, or has waiting for a lock. */
export interface OpenStatement<Client> {
  readonly wait: number
  readonly client: Client
  readonly text: string
  /** The server, as the report calls it. */
  readonly target: string
}

/** A statement that waits for a lock, as the server tells. Times are seconds on the server's clock. */
export interface Sighting<Client> {
  readonly open: OpenStatement<Client>
  readonly kind: LockKind
  readonly holder: string
  /** When the server looked. */
  readonly at: number
  /** Since when it waits for this lock, at the latest; left out where the server doesn't know. */
  readonly since?: number
  /** By how much it may have begun before then. */
  readonly precision?: number
  /** How long the server has worked on the statement by then, at least. */
  readonly age: number
}

/** A connection of our own to a server, by which it is asked. */
export interface LockConnection<Client> {
  /** Which of the statements wait for locks now. */
  ask (open: ReadonlyArray<OpenStatement<Client>>): Promise<Array<Sighting<Client>>>
  close (): void
}

export type Quietly = <Result>(call: () => Result) => Result

/** How the servers of one driver are asked. */
export interface LockServers<Client> {
  /** Milliseconds between two looks. */
  readonly every: number
  /** Equal for connections to the same server by the same user. */
  keyOf (client: Client): string
  /**
   * @param quietly Calls what asks or connects, so that it isn't recorded.
   * @param silent To be called when the server refuses to tell of locks.
   */
  connect (client: Client, quietly: Quietly, silent: () => void): LockConnection<Client>
}

interface Watched<Client> extends OpenStatement<Client> {
  readonly start: number
  /** Of one that was asked about. */
  times: LockTimes | undefined
}

/**
 * A client can't tell a statement that works from one that waits for a lock. So those that take long are asked about, at the same server by a connection
 * of our own, read only: nothing is asked about requests whose statements are fast.
 */
export class LockWatch<Client extends object> {
  readonly #recorder: Recorder
  readonly #servers: LockServers<Client>
  #open: Array<Watched<Client>> = []
  #timer: NodeJS.Timeout | undefined
  /** In the name of a driver's call: what is done there is not recorded. */
  #quietly: Quietly = call => call()
  #most = MOST_ENDED
  /** One for each server that was asked. */
  readonly #connections = new Map<string, { readonly connection: LockConnection<Client>, asking: boolean }>()

  constructor (recorder: Recorder, servers: LockServers<Client>) {
    this.#recorder = recorder
    this.#servers = servers
  }

  /** @param record Of the driver's call. */
  add (record: number, { wait, client, text, target }: OpenStatement<Client>): void {
    this.#open.push({ wait, client, text, target, start: now(), times: undefined })
    if (this.#timer === undefined) this.#start(record)
    // Thousands of fast ones leave nothing behind; thousands that are open at once aren't looked through for each.
    if (this.#open.length < this.#most) return
    this.#forgetEnded()
    this.#most = Math.max(MOST_ENDED, 2 * this.#open.length)
  }

  #start (record: number): void {
    this.#quietly = <Result>(call: () => Result) => this.#recorder.call(record, call, undefined, []) as Result
    this.#timer = this.#quietly(() => setInterval(() => this.#look(), this.#servers.every))
    this.#timer.unref()
  }

  /** What the app has set may throw here, and this is a timer's callback. */
  #connect (client: Client, target: string): { readonly connection: LockConnection<Client>, asking: boolean } {
    try {
      return { connection: this.#quietly(() => this.#servers.connect(client, this.#quietly, () => this.#recorder.silent(target))), asking: false }
    } catch {
      // Never asked: it is as if it were busy.
      return { connection: { ask: async () => [], close () {} }, asking: true }
    }
  }

  #look (): void {
    if (activeRecorder() !== this.#recorder) return this.#end()
    this.#forgetEnded()
    const slow = this.#open.filter(({ start }) => now() - start >= SLOW * 1000)
    for (const [key, open] of byServer(slow, this.#servers)) {
      let server = this.#connections.get(key)
      if (server === undefined) {
        const [{ client, target }] = open as [Watched<Client>]
        this.#connections.set(key, server = this.#connect(client, target))
      }
      if (server.asking) continue
      server.asking = true
      const asked = server
      const sent = now()
      this.#ask(server.connection, open).catch(() => {
        // A server that lets nobody else in, or that is no more than a proxy: then nothing is known.
      }).finally(() => {
        asked.asking = false
        // A busy process comes to its timers late, and has too few looks as it is.
        if (now() - sent > this.#servers.every * 1000) this.#look()
      })
    }
  }

  #forgetEnded (): void {
    this.#open = this.#open.filter(({ wait }) => this.#recorder.isOpen(wait))
  }

  async #ask (connection: LockConnection<Client>, open: ReadonlyArray<Watched<Client>>): Promise<void> {
    const sent = now()
    const sightings = new Map((await connection.ask(open)).map(sighting => [sighting.open, sighting]))
    const received = now()
    for (const watched of open) {
      const { wait, start } = watched
      const times = watched.times ??= new LockTimes(start)
      const sighting = sightings.get(watched)
      const ended = this.#recorder.endOf(wait)
      if (sighting === undefined) {
        if (ended !== undefined) continue
        times.works(sent, received)
      } else {
        // A busy process may read the statement's answer before this one, which is true all the same; unless it tells of the connection's next
        // statement, which has begun only then.
        if (ended !== undefined && received - sighting.age * 1e6 > ended) continue
        times.waits(sighting, sent)
      }
      if (times.seen !== undefined) this.#recorder.lock(wait, times.seen)
    }
  }

  #end (): void {
    clearInterval(this.#timer)
    for (const { connection } of this.#connections.values()) connection.close()
    this.#connections.clear()
  }
}

/** Of each connection's statements the oldest: the others wait in the client for their turn. */
function byServer<Client extends object> (slow: ReadonlyArray<Watched<Client>>, servers: LockServers<Client>): Map<string, Array<Watched<Client>>> {
  const busy = new Set<Client>()
  const groups = new Map<string, Array<Watched<Client>>>()
  for (const open of slow) {
    if (busy.has(open.client)) continue
    busy.add(open.client)
    const key = servers.keyOf(open.client)
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [open])
    else group.push(open)
  }
  return groups
}

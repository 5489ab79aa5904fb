import type { FastifyReply, FastifyRequest } from 'fastify'
import type { ServerResponse } from 'node:http'
import { makeFrames, type Frames } from './frames.ts'
import { CHUNK, HEADER, KNOWN, NEVER, toChunk, writeJson, TEXT_BYTES, type Chunk, type Shared } from './shared.ts'

/** An open request. What is not needed for one that is answered at once is found out by the first tick that meets it. */
export class OpenRequest {
  readonly table: Requests
  readonly place: number
  readonly request: FastifyRequest
  readonly reply: FastifyReply
  readonly frames: Frames
  /** `performance.now()` */
  readonly start: number
  /** From when its thresholds count: its start, or when it was told to wait behind another's code. */
  since: number
  /** Whose code it was told to wait behind. */
  behind: OpenRequest | undefined
  inHandler = false
  closed = false
  /** When it is reported, from its start; `undefined` until the first tick, empty for never. */
  thresholds: readonly number[] | undefined
  /** How many thresholds are behind it. */
  passed = 0
  /** Ids of its reports. */
  reports: string[] | undefined
  /** Whether the watcher has reported it while this thread hung; its id is yet to come. */
  taken = false

  constructor (table: Requests, place: number, request: FastifyRequest, reply: FastifyReply, frames: Frames, start: number) {
    this.table = table
    this.place = place
    this.request = request
    this.reply = reply
    this.frames = frames
    this.start = start
    this.since = start
  }
}

const OPEN = Symbol('dogslow')

/** How a request is found from its response: a WeakMap would cost more than all the rest. */
interface Marked {
  [OPEN]?: OpenRequest
}

/** The open request of a reply. */
export function openRequestOf (reply: FastifyReply): OpenRequest | undefined {
  const open = (reply.raw as Marked)[OPEN]
  return open === undefined || open.closed ? undefined : open
}

function onClose (this: Marked): void {
  const open = this[OPEN]
  if (open !== undefined && !open.closed) open.table.leave(open)
}

export interface RequestsListener {
  readonly grown: (chunk: Chunk) => void
  readonly left: (open: OpenRequest) => void
  /** What a request is, in words. */
  readonly text: (open: OpenRequest) => RequestText
  /** Milliseconds after which a request is slow, if nothing else is known of it. */
  readonly threshold: number
}

let lastName = 0
/** The tables of this process, by their names: each app has one. */
const tables = new Map<string, Requests>()

/** The open request that a function of {@link makeFrames} is named after. */
export function requestOfFrame (functionName: string): OpenRequest | undefined {
  const dot = functionName.indexOf('.')
  return tables.get(functionName.slice(functionName.indexOf('#') + 1, dot))?.at(Number(functionName.slice(dot + 1)))
}

/**
 * The table of open requests. A free place is taken only after all that have been free for longer, so that code which a request leaves
 * running is not taken for another's soon.
 */
export class Requests {
  readonly chunks: Chunk[] = []
  readonly shared: Shared
  readonly #name = `${++lastName}`
  readonly #listener: RequestsListener
  readonly #open: Array<OpenRequest | undefined> = []
  readonly #frames: Frames[] = []
  /** A ring of free places. */
  #free = new Int32Array(0)
  #first = 0
  #freeCount = 0
  #count = 0

  constructor (shared: Shared, listener: RequestsListener) {
    this.shared = shared
    this.#listener = listener
    tables.set(this.#name, this)
    this.#grow()
  }

  /** How many are open. */
  get count (): number {
    return this.#count
  }

  enter (request: FastifyRequest, reply: FastifyReply): OpenRequest {
    if (this.#freeCount === 0) this.#grow()
    const place = this.#free[this.#first]!
    this.#first = this.#first + 1 === this.#free.length ? 0 : this.#first + 1
    this.#freeCount--
    const start = performance.now()
    const open = new OpenRequest(this, place, request, reply, this.#frames[place] ??= makeFrames(`${this.#name}.${place}`), start)
    this.#open[place] = open
    const chunk = this.chunks[(place / CHUNK) | 0]!
    const at = place % CHUNK
    chunk.start[at] = start
    chunk.due[at] = start
    this.shared.header[HEADER.open] = ++this.#count
    const raw = reply.raw as ServerResponse & Marked
    raw[OPEN] = open
    // The one event that comes after a reply, an abort and a hijack alike.
    raw.on('close', onClose)
    return open
  }

  leave (open: OpenRequest): void {
    open.closed = true
    const { place } = open
    this.#open[place] = undefined
    const chunk = this.chunks[(place / CHUNK) | 0]!
    const at = place % CHUNK
    open.taken = chunk.known[at] === KNOWN.taken
    chunk.due[at] = NEVER
    chunk.start[at] = 0
    chunk.known[at] = KNOWN.no
    const last = this.#first + this.#freeCount++
    this.#free[last < this.#free.length ? last : last - this.#free.length] = place
    this.shared.header[HEADER.open] = --this.#count
    this.#listener.left(open)
  }

  at (place: number): OpenRequest | undefined {
    return this.#open[place]
  }

  /** No frame leads here any more. */
  close (): void {
    tables.delete(this.#name)
  }

  /** Those that are to be looked at by now. */
  due (now: number): OpenRequest[] {
    const found: OpenRequest[] = []
    if (this.#count === 0) return found
    for (const [index, { due }] of this.chunks.entries()) {
      for (let at = 0; at < CHUNK; at++) if (due[at]! <= now) found.push(this.#open[index * CHUNK + at]!)
    }
    return found
  }

  /** All that are open, the oldest first. */
  all (): OpenRequest[] {
    return this.#open.filter(open => open !== undefined).sort((a, b) => a.start - b.start)
  }

  /** Sets when to look at a request next. */
  schedule ({ place }: OpenRequest, due: number): void {
    this.chunks[(place / CHUNK) | 0]!.due[place % CHUNK] = due
  }

  /** Lets the watcher know what a request is. */
  makeKnown (open: OpenRequest): void {
    const chunk = this.chunks[(open.place / CHUNK) | 0]!
    const at = open.place % CHUNK
    if (chunk.known[at] !== KNOWN.no) return
    writeJson(chunk.text.subarray(at * TEXT_BYTES, (at + 1) * TEXT_BYTES), this.#listener.text(open),
      (long: RequestText) => ({ ...long, url: `${long.url.slice(0, 60)}…`, route: undefined }))
    // Until a tick knows better.
    chunk.due[at] = open.start + this.#listener.threshold
    chunk.known[at] = KNOWN.yes
  }

  #grow (): void {
    const chunk = toChunk()
    chunk.due.fill(NEVER)
    const offset = this.chunks.length * CHUNK
    this.chunks.push(chunk)
    const free = new Int32Array(offset + CHUNK)
    for (let at = 0; at < CHUNK; at++) free[at] = offset + at
    // It grows when no place is free.
    this.#free = free
    this.#first = 0
    this.#freeCount = CHUNK
    this.#listener.grown(chunk)
  }
}

/** What the watcher is told of a request. */
export interface RequestText {
  readonly id: string
  readonly method: string
  readonly url: string
  readonly route: string | undefined
}

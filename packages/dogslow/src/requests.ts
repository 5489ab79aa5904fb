import type { Http2Stream } from 'node:http2'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { Frames } from './frames.ts'
import { CHUNK, HEADER, NEVER, TAKEN, TEXT_BYTES, TIMES, toChunk, writeJson, type Chunk, type Shared } from './shared.ts'

/** Of HTTP/2, the stream knows: a response of that has no `destroyed`, and is finished when it is cut off, too. */
type Response = FastifyReply['raw'] & { readonly stream?: Http2Stream }

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
  /** Whether it has its line in the table: it is there to be looked at until it leaves. */
  listed = false
  /** Whether its end is listened for. */
  heard = false
  closed = false
  /** When it is reported, from its start; `undefined` until it is looked at, empty for never. */
  thresholds: readonly number[] | undefined
  /** Whether a tick has met it, and asked the app whether to ignore it. */
  met = false
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

  /** Whether its response is closed: after a reply, an abort and a hijack alike. */
  get isOver (): boolean {
    const raw: Response = this.reply.raw
    return this.closed || (raw.stream === undefined ? raw.destroyed : raw.stream.destroyed)
  }

  /** Whether its response, which is over, was sent whole. */
  get isAnswered (): boolean {
    const raw: Response = this.reply.raw
    if (raw.stream !== undefined) return raw.writableEnded && raw.stream.rstCode === 0
    // What `inject` calls a connection takes the last bytes a moment later.
    return raw.writableFinished || (raw.writableEnded && raw.socket?.destroyed === false)
  }
}

/** How a request of dogslow's is found from Fastify's. */
export const OPEN = Symbol('dogslow')

/** The open request of one of Fastify's. */
export function openRequestOf (request: FastifyRequest): OpenRequest | undefined {
  const open = (request as { [OPEN]?: OpenRequest | null })[OPEN]
  return open === undefined || open === null || open.closed ? undefined : open
}

export interface RequestsListener {
  readonly grown: (chunk: Chunk) => void
  readonly left: (open: OpenRequest) => void
  /** What a request is, in words. */
  readonly text: (open: OpenRequest) => RequestText
  /** Milliseconds after which a request is slow, if nothing else is known of it. */
  readonly threshold: number
}

/**
 * Places that are in use while few requests are open. With more of them, a place would have left the processor's caches when its turn comes, which costs a
 * request more than all else here; with fewer, code that a request leaves running would sooner be taken for another's.
 */
const LEAST_PLACES = 64
/** Places that are tried before others are taken into use. */
const TRIES = 16

let lastName = 0
/** The tables of this process, by their names: each app has one. */
const tables = new Map<string, Requests>()

/** The open request that a function of {@link Frames} is named after. */
export function requestOfFrame (functionName: string): OpenRequest | undefined {
  const dot = functionName.indexOf('.')
  return tables.get(functionName.slice(functionName.indexOf('#') + 1, dot))?.at(Number(functionName.slice(dot + 1)))
}

/**
 * The open requests. Nearly all are answered before anybody looks, so nothing is told when one is over: it stays in its place until the place's next
 * turn, or until a look some times a second, which lists those that are still open.
 *
 * By its place stacks know a request. Places are taken in turn, so that code which a request leaves running is not taken for another's soon.
 */
export class Requests {
  readonly chunks: Chunk[] = []
  readonly shared: Shared
  readonly #name = `${++lastName}`
  readonly #listener: RequestsListener
  /** By place, over or not. */
  readonly #requests: Array<OpenRequest | undefined> = []
  readonly #frames: Frames[] = []
  /** Places that are in use; after many were open, some may be beyond. */
  #places = LEAST_PLACES
  #next = 0
  #count = 0
  /** Whether any came since the last look. */
  #isFresh = false

  constructor (shared: Shared, listener: RequestsListener) {
    this.shared = shared
    this.#listener = listener
    tables.set(this.#name, this)
    this.#grow()
  }

  /** How many were open at the last look. */
  get count (): number {
    return this.#count
  }

  /** Whether any is open, or came since the last look. */
  get isBusy (): boolean {
    return this.#isFresh || this.#count > 0
  }

  enter (request: FastifyRequest, reply: FastifyReply): OpenRequest {
    const place = this.#takePlace()
    const start = performance.now()
    const open = new OpenRequest(this, place, request, reply, this.#frames[place] ??= new Frames(`${this.#name}.${place}`), start)
    this.#requests[place] = open
    ;(request as { [OPEN]?: OpenRequest | null })[OPEN] = open
    if (!this.#isFresh) {
      this.#isFresh = true
      this.shared.times[TIMES.fresh] = start
    }
    return open
  }

  leave (open: OpenRequest): void {
    open.closed = true
    const { place } = open
    this.#requests[place] = undefined
    const { start, due, state } = this.#chunkOf(open)
    const at = place % CHUNK
    open.taken = state[at] === TAKEN
    due[at] = NEVER
    start[at] = 0
    state[at] = 0
    this.shared.header[HEADER.open] = --this.#count
    this.#listener.left(open)
  }

  /** The request of a place; it is listed, if it wasn't. */
  at (place: number): OpenRequest | undefined {
    const open = this.#requests[place]
    if (open === undefined || (!open.listed && open.isOver)) return undefined
    this.list(open)
    return open
  }

  /** No frame leads here any more. */
  close (): void {
    tables.delete(this.#name)
  }

  /**
   * Lists those that are open, and lets go of the others.
   * @param interrupting The main thread is in the middle of something, perhaps of adding a listener.
   */
  look (interrupting = false): void {
    this.#isFresh = false
    let last: OpenRequest | undefined
    for (let place = 0; place < this.#requests.length; place++) {
      const open = this.#requests[place]
      if (open === undefined || open.heard) continue
      if (!open.isOver) this.list(open)
      else if (!open.listed) this.#requests[place] = undefined
      if (this.#mayBeTaken(open) && (last === undefined || last.start < open.start)) last = open
    }
    this.shared.times.fill(0, TIMES.fresh)
    // Of one that is listed, the end is told when it leaves.
    if (last?.listed === false) {
      last.closed = last.taken = true
      this.#listener.left(last)
    }
    if (interrupting) return
    for (const open of this.#requests) {
      if (open === undefined || open.heard) continue
      open.heard = true
      if (open.isOver) this.leave(open)
      else open.reply.raw.on('close', () => { if (!open.closed) this.leave(open) })
    }
    this.#places = Math.max(LEAST_PLACES, 2 * this.#count)
    this.#growTo(this.#places)
  }

  /** Those that are to be looked at by now, and those that no tick has met yet. */
  due (now: number): OpenRequest[] {
    const isDue = (open: OpenRequest) => !open.met || this.#chunkOf(open).due[open.place % CHUNK]! <= now
    return this.#all().filter(isDue)
  }

  /** All that are listed, the oldest first. */
  all (): OpenRequest[] {
    return this.#all().sort((a, b) => a.start - b.start)
  }

  #all (): OpenRequest[] {
    return this.#requests.filter(open => open?.listed === true) as OpenRequest[]
  }

  /** Sets when to look at a request next. */
  schedule (open: OpenRequest, due: number): void {
    this.#chunkOf(open).due[open.place % CHUNK] = due
  }

  /** Lists a request: the watcher knows what it is from now on. */
  list (open: OpenRequest): void {
    if (open.listed) return
    open.listed = true
    const { start, due, state, text } = this.#chunkOf(open)
    const at = open.place % CHUNK
    writeJson(text.subarray(at * TEXT_BYTES, (at + 1) * TEXT_BYTES), this.#listener.text(open),
      (long: RequestText) => ({ ...long, url: `${long.url.slice(0, 60)}…`, route: undefined }))
    // Until a tick knows better.
    const isTaken = this.#isTaken(open)
    due[at] = isTaken ? NEVER : open.start + this.#listener.threshold
    state[at] = isTaken ? TAKEN : 0
    start[at] = open.start
    open.taken = isTaken
    this.shared.header[HEADER.open] = ++this.#count
  }

  /** Whether the watcher has reported it, as one of which it knew nothing but that there was one. */
  #isTaken (open: OpenRequest): boolean {
    return open.start <= this.shared.times[TIMES.taken]!
  }

  /** The same of one that may be over, of which only Fastify knows when, if the app's log or a hook asks: of several, who came last kept the thread busy. */
  #mayBeTaken (open: OpenRequest): boolean {
    const { elapsedTime } = open.reply
    return this.#isTaken(open) && (open.listed || elapsedTime === 0 || open.start + elapsedTime >= this.shared.times[TIMES.taken]!)
  }

  #takePlace (): number {
    for (let tries = 0; tries < TRIES; tries++) {
      const place = this.#next
      this.#next = place + 1
      if (this.#next >= this.#places) this.#turn()
      if (this.#isFree(place)) return place
    }
    // Most are taken, at least of those that come next.
    while (!this.#isFree(this.#places)) this.#places++
    const place = this.#places
    this.#places += LEAST_PLACES
    this.#growTo(this.#places)
    this.#next = place + 1
    return place
  }

  /** All places have had their turn. What the watcher has reported meanwhile would have to make room for others soon. */
  #turn (): void {
    this.#next = 0
    if (this.shared.times[TIMES.taken] !== 0) this.look(true)
  }

  #isFree (place: number): boolean {
    const before = this.#requests[place]
    if (before === undefined) return true
    if (!before.isOver) return false
    if (before.listed) this.leave(before)
    return true
  }

  #chunkOf ({ place }: OpenRequest): Chunk {
    return this.chunks[(place / CHUNK) | 0]!
  }

  #growTo (places: number): void {
    while (this.#requests.length < places) this.#grow()
  }

  #grow (): void {
    const chunk = toChunk()
    chunk.due.fill(NEVER)
    this.chunks.push(chunk)
    for (let at = 0; at < CHUNK; at++) this.#requests.push(undefined)
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

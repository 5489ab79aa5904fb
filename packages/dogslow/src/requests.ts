import { Socket } from 'node:net'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { FRAME_PREFIX, RUN, runningRequest } from './frames.ts'
import { OPEN, OpenRequest, type Response } from './open-request.ts'
import { CHUNK, HEADER, NEVER, TAKEN, TEXT_BYTES, TIMES, toChunk, writeJson, type Chunk, type Shared } from './shared.ts'

export interface RequestsListener {
  readonly grown: (chunk: Chunk) => void
  readonly left: (open: OpenRequest) => void
  /** What a request is, in words. */
  readonly text: (open: OpenRequest) => RequestText
  /** Milliseconds after which a request is slow, if nothing else is known of it. */
  readonly threshold: number
}

/** A connection, with the request that came last by it: HTTP/1 answers one after the other. */
type Connection = Socket & Record<symbol, OpenRequest | null | undefined>

/** So many that are known are kept at least before those are looked for that are over. */
const LEAST_KEPT = 128

let lastName = 0
/** The tables of this process, by their names: each app has one. */
const tables = new Map<string, Requests>()

/**
 * Those that came lately have names from now on: to be called before a stack is taken.
 * @param interrupting The main thread is in the middle of something: no code of the app's may run.
 */
export function nameRequests (interrupting = false): void {
  // Whose code runs at once is known without.
  if (runningRequest() === undefined) for (const requests of tables.values()) requests.find(interrupting)
}

/** The open request that a function of `frames.ts` is named after. */
export function requestOfFrame (functionName: string): OpenRequest | undefined {
  if (functionName === RUN) {
    const running = runningRequest()
    return running?.isOver === false ? running : undefined
  }
  const dot = functionName.indexOf('.')
  return tables.get(functionName.slice(FRAME_PREFIX.length, dot))?.named(Number(functionName.slice(dot + 1)))
}

/**
 * The open requests. Nearly all are answered before anybody looks, so nothing is told when one is over, and nothing but its connection leads to it. Some
 * times a second a look finds those that are still open, and lists them in a table that the watcher reads.
 */
export class Requests {
  readonly chunks: Chunk[] = []
  readonly shared: Shared
  readonly #name = `${++lastName}`
  readonly #listener: RequestsListener
  /** Where a connection keeps its request. */
  readonly #slot: symbol = Symbol('dogslow request')
  readonly #connections = new Set<Connection>()
  /** Of these, those by which a request came since somebody looked: of ten thousand, most may be idle. */
  readonly #fresh = new Set<Connection>()
  readonly #closed: (this: Connection) => void
  /** Those that were found, or have no connection to be found by: by number. */
  readonly #known = new Map<number, OpenRequest>()
  /** Of these, those whose end is not listened for yet. */
  #unheard: OpenRequest[] = []
  /** Of those that are listed, those that no tick has met. */
  #unmet: OpenRequest[] = []
  #lastNumber = 0
  /** When so many are known, those are let go of that are over. */
  #most = LEAST_KEPT
  /** Those that are listed, by place. */
  readonly #listed: Array<OpenRequest | undefined> = []
  readonly #freePlaces: number[] = []
  /** Whether any came since the last look. */
  #isFresh = false
  /** Of those that were over when the watcher told of some that nobody had looked for: who came last. */
  #lastTaken: OpenRequest | undefined

  constructor (shared: Shared, listener: RequestsListener) {
    this.shared = shared
    this.#listener = listener
    const leave = (connection: Connection) => this.#leaveConnection(connection)
    this.#closed = function () { leave(this) }
    tables.set(this.#name, this)
    this.#grow()
  }

  /** How many are listed. */
  get count (): number {
    return this.#listed.length - this.#freePlaces.length
  }

  /** Whether any is open, or came since the last look. */
  get isBusy (): boolean {
    return this.#isFresh || this.#known.size > 0
  }

  enter (request: FastifyRequest, reply: FastifyReply): OpenRequest {
    const open = new OpenRequest(this, request, reply, performance.now())
    ;(request as { [OPEN]?: OpenRequest | null })[OPEN] = open
    const raw: Response = reply.raw
    // A response has the connection when it is its turn. Others, those of HTTP/2 and of `inject` take some more time.
    if (raw.stream === undefined && raw.socket !== null && raw.socket === request.raw.socket) this.#keep(open, raw.socket as Connection)
    else this.know(open)
    // Last: an interruption that has looked before did not see it.
    if (!this.#isFresh) this.#freshen(open)
    return open
  }

  /** It is over, which is told once. */
  leave (open: OpenRequest): void {
    if (open.closed) return
    open.closed = true
    this.#known.delete(open.number)
    if (open.place !== undefined) this.#unlist(open, open.place)
    this.#listener.left(open)
  }

  /** The request that has a place in the table that the watcher reads. */
  at (place: number): OpenRequest | undefined {
    return this.#listed[place]
  }

  /** What functions are called that await something for the request of that number. */
  frameName (number: number): string {
    return `${FRAME_PREFIX}${this.#name}.${number}`
  }

  /** The request of that number. */
  named (number: number): OpenRequest | undefined {
    const open = this.#known.get(number)
    return open?.isOver === false ? open : undefined
  }

  /** No frame leads here any more, and what those waited for that are over is forgotten. */
  close (): void {
    this.look()
    tables.delete(this.#name)
    for (const connection of this.#connections) connection.off('close', this.#closed)
    this.#connections.clear()
    this.#fresh.clear()
  }

  /**
   * Finds those that came since, and are still open.
   * @param interrupting The main thread is in the middle of something: no code of the app's may run.
   */
  find (interrupting = false): void {
    for (const connection of this.#fresh) {
      this.#fresh.delete(connection)
      const open = connection[this.#slot]
      connection[this.#slot] = null
      // An interruption was here first.
      if (open === null || open === undefined) continue
      if (!open.isOver) this.know(open, interrupting)
      else this.#noteIfTaken(open)
    }
  }

  /** A request is kept by its number from now on, until it is told that it is over. */
  know (open: OpenRequest, interrupting = false): void {
    if (open.number !== 0) return
    // First: an interruption may find it, too.
    const number = open.number = ++this.#lastNumber
    this.#known.set(number, open)
    this.#unheard.push(open)
    open.awaitPromises()
    if (interrupting || this.#unheard.length < this.#most) return
    this.#letGo()
    this.#most = Math.max(LEAST_KEPT, 2 * this.#unheard.length)
  }

  /**
   * Lists those that are open, and lets go of the others.
   * @param interrupting The main thread is in the middle of something, perhaps of adding a listener.
   */
  look (interrupting = false): void {
    this.find(interrupting)
    this.#isFresh = false
    for (const open of this.#unheard) {
      if (!open.isOver) this.list(open)
      this.#noteIfTaken(open)
    }
    this.shared.times.fill(0, TIMES.fresh)
    this.#tellLastTaken()
    if (interrupting) return
    for (const open of this.#takeUnheard()) {
      if (open.isOver) this.leave(open)
      else open.reply.raw.on('close', () => this.leave(open))
    }
  }

  /** Those that are to be looked at by now, and those that no tick has met yet. */
  due (now: number): OpenRequest[] {
    const unmet = this.#unmet
    this.#unmet = []
    for (const open of unmet) if (!open.closed && !open.watch.met) this.#unmet.push(open)
    const found = new Set(this.#unmet)
    for (const [chunk, { due }] of this.chunks.entries()) {
      // Of ten thousand requests, hardly any is touched.
      for (let at = 0; at < CHUNK; at++) if (due[at]! <= now) found.add(this.#listed[chunk * CHUNK + at]!)
    }
    return [...found]
  }

  /** All that are listed, the oldest first. */
  all (): OpenRequest[] {
    return this.#all().sort((a, b) => a.start - b.start)
  }

  #all (): OpenRequest[] {
    return this.#listed.filter(open => open !== undefined)
  }

  /** Sets when to look at a request next. */
  schedule ({ place }: OpenRequest, due: number): void {
    if (place !== undefined) this.#chunkOf(place).due[place % CHUNK] = due
  }

  /** Lists a request: the watcher knows what it is from now on. */
  list (open: OpenRequest): void {
    // A callback may run in the name of one that has left.
    if (open.place !== undefined || open.closed) return
    const place = open.place = this.#freePlaces.pop() ?? this.#listed.length
    this.#listed[place] = open
    this.#unmet.push(open)
    if (place >= this.chunks.length * CHUNK) this.#grow()
    const { start, due, state, text } = this.#chunkOf(place)
    const at = place % CHUNK
    writeJson(text.subarray(at * TEXT_BYTES, (at + 1) * TEXT_BYTES), this.#listener.text(open),
      (long: RequestText) => ({ ...long, url: `${long.url.slice(0, 60)}…`, route: undefined }))
    // Until a tick knows better.
    const isTaken = this.#isTaken(open)
    due[at] = isTaken ? NEVER : open.start + this.#listener.threshold
    state[at] = isTaken ? TAKEN : 0
    start[at] = open.start
    open.watch.taken = isTaken
    this.shared.header[HEADER.open] = this.count
  }

  #unlist (open: OpenRequest, place: number): void {
    open.place = undefined
    this.#listed[place] = undefined
    const { start, due, state } = this.#chunkOf(place)
    const at = place % CHUNK
    open.watch.taken = state[at] === TAKEN
    due[at] = NEVER
    start[at] = 0
    state[at] = 0
    // Last: an interruption may give it to another.
    this.#freePlaces.push(place)
    this.shared.header[HEADER.open] = this.count
  }

  #freshen ({ start }: OpenRequest): void {
    this.#isFresh = true
    this.shared.times[TIMES.fresh] = start
  }

  /** Its connection leads to it: there is nothing before it on the way. */
  #keep (open: OpenRequest, connection: Connection): void {
    let before = connection[this.#slot]
    if (before === undefined) {
      // Of what another server takes for a connection it isn't known that it closes.
      if (!(connection instanceof Socket)) return this.know(open)
      this.#connections.add(connection)
      connection.once('close', this.#closed)
    } else if (before !== null && this.shared.times[TIMES.taken] !== 0) {
      this.find()
      before = null
    }
    connection[this.#slot] = open
    if (before === undefined || before === null) this.#fresh.add(connection)
  }

  #leaveConnection (connection: Connection): void {
    const open = connection[this.#slot]
    connection[this.#slot] = null
    this.#connections.delete(connection)
    this.#fresh.delete(connection)
    // That the connection is gone it may hear next.
    if (open?.isOver === false) this.know(open)
  }

  /** Of those that are over and were never listed, nothing is left. */
  #letGo (): void {
    for (const open of this.#takeUnheard()) {
      if (open.place !== undefined || !open.isOver) {
        this.#unheard.push(open)
        continue
      }
      this.#noteIfTaken(open)
      this.leave(open)
    }
  }

  /** An interruption may come between any two, and add some: so who goes through them has them to itself. */
  #takeUnheard (): OpenRequest[] {
    const unheard = this.#unheard
    this.#unheard = []
    return unheard
  }

  /** Whether the watcher has reported it, as one of which it knew nothing but that there was one. */
  #isTaken (open: OpenRequest): boolean {
    return open.start <= this.shared.times[TIMES.taken]!
  }

  /** One that is over may have been taken. Only Fastify knows when it ended, if the app's log or a hook asks: of several, who came last kept the thread busy. */
  #noteIfTaken (open: OpenRequest): void {
    if (!this.#isTaken(open)) return
    const { elapsedTime } = open.reply
    if (open.place === undefined && elapsedTime > 0 && open.start + elapsedTime < this.shared.times[TIMES.taken]!) return
    if (this.#lastTaken === undefined || this.#lastTaken.start < open.start) this.#lastTaken = open
  }

  #tellLastTaken (): void {
    const last = this.#lastTaken
    this.#lastTaken = undefined
    // Of one that is listed, the end is told when it leaves.
    if (last === undefined || last.place !== undefined) return
    this.#known.delete(last.number)
    last.closed = last.watch.taken = true
    this.#listener.left(last)
  }

  #chunkOf (place: number): Chunk {
    return this.chunks[(place / CHUNK) | 0]!
  }

  #grow (): void {
    const chunk = toChunk()
    chunk.due.fill(NEVER)
    this.chunks.push(chunk)
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

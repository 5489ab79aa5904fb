import type { Http2Stream } from 'node:http2'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { follow } from './frames.ts'
import type { Requests } from './requests.ts'

/** Of HTTP/2, the stream knows: a response of that has no `destroyed`, and is finished when it is cut off, too. */
export type Response = FastifyReply['raw'] & { readonly stream?: Http2Stream }

/** How one stands that was looked at. */
export class Watch {
  /** From when its thresholds count: its start, or when it was told to wait behind another's code. */
  since: number
  /** Whose code it was told to wait behind. */
  behind: OpenRequest | undefined
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

  constructor (start: number) {
    this.since = start
  }
}

/** An open request. What is not needed for one that is answered at once is found out by the first tick that meets it. */
export class OpenRequest {
  readonly table: Requests
  readonly request: FastifyRequest
  readonly reply: FastifyReply
  /** `performance.now()` */
  readonly start: number
  inHandler = false
  closed = false
  /** By which functions are named that await its hooks and its handler; 0 until somebody asks for stacks. */
  number = 0
  /** What its hooks and its handler have returned and no function awaits yet. */
  #promise: Promise<unknown> | undefined
  #earlierPromises: Array<Promise<unknown>> | undefined
  /** Where it is in the table that the watcher reads; `undefined` until it is listed there. */
  place: number | undefined
  #watch: Watch | undefined

  constructor (table: Requests, request: FastifyRequest, reply: FastifyReply, start: number) {
    this.table = table
    this.request = request
    this.reply = reply
    this.start = start
  }

  /** What is only to be known of one that was looked at. */
  get watch (): Watch {
    this.#watch ??= new Watch(this.start)
    return this.#watch
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

  /**
   * It goes on when that settles.
   * @param promise Of nobody else's: V8 finds who awaits a promise only if it is but one.
   */
  awaits (promise: Promise<unknown>): void {
    if (this.number !== 0) return follow(this.table.frameName(this.number), promise)
    if (this.#promise !== undefined) (this.#earlierPromises ??= []).push(this.#promise)
    this.#promise = promise
  }

  /** It has a number: stacks are to tell that what it has promised is its own. */
  awaitPromises (): void {
    const promise = this.#promise
    if (promise === undefined) return
    this.#promise = undefined
    this.awaits(promise)
    for (const earlier of this.#earlierPromises ?? []) this.awaits(earlier)
    this.#earlierPromises = undefined
  }
}

/** How a request of dogslow's is found from Fastify's. */
export const OPEN = Symbol('dogslow')

/** The open request of one of Fastify's. */
export function openRequestOf (request: FastifyRequest): OpenRequest | undefined {
  const open = (request as { [OPEN]?: OpenRequest | null })[OPEN]
  return open === undefined || open === null || open.closed ? undefined : open
}

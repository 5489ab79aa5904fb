import type { IncomingMessage } from 'node:http'
import { GeordiError } from './errors.ts'

/**
 * Bytes that the bodies of this process's flagged requests hold together at most (or one body of `bodyLimit`, where that
 * is more), until it is known who sent them. An admin's are not counted any longer.
 */
const HELD_LIMIT = 64 * 1024 * 1024
/** Those that count, the oldest first. */
const undecided = new Set<BodyTap>()
let held = 0

/**
 * Keeps a copy of a request's body as it comes in from the socket, without taking part in its flow: the
 * app reads it, or leaves it unread (multipart), as it always does.
 */
export class BodyTap {
  readonly #raw: IncomingMessage
  readonly #limit: number
  /** The first `#length` bytes of it. Chunks are copied: kept as they come, one of a single byte would hold hundreds. */
  #bytes: Buffer = Buffer.alloc(0)
  #length = 0
  #ended = false
  #counts = true
  #released = false
  #failure: GeordiError | undefined
  #wake: () => void = () => {}

  /** Bytes that count at this moment. */
  static get held (): number {
    return held
  }

  constructor (raw: IncomingMessage, limit: number) {
    this.#raw = raw
    this.#limit = limit
    this.#ended = raw.complete || raw.readableEnded
    if (raw.aborted) this.#fail(clientGone())
    else if (raw.readableDidRead) this.#fail(new GeordiError('GEORDI_BODY_MISSED', 'The body was read before geordi saw it. Register geordi before the plugin that reads it.'))
    // What is known to be too large is not kept at all.
    else if (Number(raw.headers['content-length']) > limit) this.#fail(this.#tooLarge())
    else this.#takeWhatIsBuffered()
    const push = raw.push
    // Node's parser pushes buffers; the requests of `app.inject` push strings too.
    raw.push = (chunk: Buffer | string | null, encoding?: BufferEncoding) => {
      if (chunk === null) this.#end()
      else this.#add(typeof chunk === 'string' ? Buffer.from(chunk, encoding) : chunk)
      return push.call(raw, chunk, encoding)
    }
  }

  /**
   * An admin's whole body, once it has arrived. What the app left unread is read here, and what is too large as well:
   * a client that still sends would not see the answer.
   * @throws GeordiError `GEORDI_BODY_TOO_LARGE`, `GEORDI_BODY_MISSED`
   */
  async whole (): Promise<Buffer> {
    this.#uncount()
    if (!this.#ended) await this.#drain()
    if (this.#failure !== undefined) throw this.#failure
    return this.#bytes.subarray(0, this.#length)
  }

  /** Lets go of the copy, and of what is still to come. To be called when the answer is over at the latest: the request's own `close` comes before the handler. */
  release (): void {
    this.#uncount()
    this.#bytes = Buffer.alloc(0)
    this.#released = true
  }

  async #drain (): Promise<void> {
    const raw = this.#raw
    if (!raw.destroyed) {
      await new Promise<void>(resolve => {
        this.#wake = resolve
        raw.once('close', resolve)
        // Who reads it now does so for the handler, which won't run, and would stop when nobody reads on.
        raw.unpipe().removeAllListeners('readable').on('data', () => {}).resume()
      })
    }
    if (!this.#ended) this.#fail(clientGone())
  }

  /** An earlier hook that awaited something let the first bytes arrive; they are in the stream's buffer, in front of nobody. */
  #takeWhatIsBuffered (): void {
    const raw = this.#raw
    if (raw.readableLength === 0) return
    const chunk = raw.read() as Buffer | string
    const encoding = raw.readableEncoding ?? undefined
    // Put back in the same turn: nobody sees that they were gone, and `end` is not emitted over a filled buffer.
    raw.unshift(chunk, encoding)
    this.#add(typeof chunk === 'string' ? Buffer.from(chunk, encoding) : chunk)
  }

  #add (chunk: Buffer): void {
    if (this.#released) return
    if (this.#length + chunk.length > this.#limit) return this.#fail(this.#tooLarge())
    this.#bytes = withRoom(this.#bytes, this.#length, this.#length + chunk.length)
    this.#length += chunk.copy(this.#bytes, this.#length)
    if (this.#counts) this.#count(chunk.length)
  }

  /** Who fills the memory and waits must not keep an admin's request from being captured: the oldest has to go. */
  #count (length: number): void {
    undecided.add(this)
    held += length
    for (const oldest of undecided) {
      if (held <= Math.max(HELD_LIMIT, this.#limit)) break
      oldest.#fail(new GeordiError('GEORDI_BODY_TOO_LARGE', 'Too many large flagged requests are under way at once. Try again in a moment.'))
    }
  }

  #uncount (): void {
    if (undecided.delete(this)) held -= this.#length
    this.#counts = false
  }

  #end (): void {
    // HTTP/2 ends a body that was broken off, too.
    if (this.#raw.aborted) this.#fail(clientGone())
    this.#ended = true
    this.#wake()
  }

  #fail (failure: GeordiError): void {
    this.#failure ??= failure
    this.release()
  }

  #tooLarge (): GeordiError {
    return new GeordiError('GEORDI_BODY_TOO_LARGE', `The request's body is larger than geordi captures (${this.#limit} bytes). Raise its option \`bodyLimit\`.`)
  }
}

/** The same buffer, or one of at least twice the size that begins with the same bytes. */
function withRoom (buffer: Buffer, used: number, needed: number): Buffer {
  if (needed <= buffer.length) return buffer
  const larger = Buffer.allocUnsafeSlow(Math.max(needed, 2 * buffer.length))
  buffer.copy(larger, 0, 0, used)
  return larger
}

function clientGone (): GeordiError {
  return new GeordiError('GEORDI_BODY_MISSED', 'The client went away before its body was complete.')
}

import type { IncomingMessage } from 'node:http'
import { GeordiError } from './errors.ts'

/** Bytes that all taps of this process hold together at most: flagged requests are tapped before anyone knows who asks. */
const HELD_LIMIT = 64 * 1024 * 1024
let held = 0

/**
 * Keeps a copy of a request's body as it comes in from the socket, without taking part in its flow: the
 * app reads it, or leaves it unread (multipart), as it always does.
 */
export class BodyTap {
  readonly #raw: IncomingMessage
  readonly #limit: number
  #chunks: Buffer[] = []
  #length = 0
  #failure: GeordiError | undefined
  #onFailure: () => void = () => {}

  constructor (raw: IncomingMessage, limit: number) {
    this.#raw = raw
    this.#limit = limit
    if (raw.readableDidRead) {
      this.#fail(new GeordiError('GEORDI_BODY_MISSED', 'The body was read before geordi saw it. Register geordi before the plugin that reads it.'))
    }
    this.#takeWhatIsBuffered()
    const push = raw.push
    raw.push = (chunk: Buffer | null, encoding?: BufferEncoding) => {
      if (chunk !== null) this.#add(chunk)
      return push.call(raw, chunk, encoding)
    }
  }

  /**
   * The whole body, once it has arrived. What the app left unread is read here.
   * @throws GeordiError `GEORDI_BODY_TOO_LARGE`, `GEORDI_BODY_MISSED`
   */
  async whole (): Promise<Buffer> {
    if (this.#failure === undefined && !this.#raw.complete) await this.#drain()
    if (this.#failure !== undefined) throw this.#failure
    return Buffer.concat(this.#chunks)
  }

  /** Lets go of the copy. To be called when the answer is over: the request's own `close` comes before the handler. */
  release (): void {
    held -= this.#length
    this.#length = 0
    this.#chunks = []
  }

  async #drain (): Promise<void> {
    const raw = this.#raw
    await new Promise<void>((resolve, reject) => {
      const settle = () => {
        if (raw.complete || this.#failure !== undefined) resolve()
        else reject(new GeordiError('GEORDI_BODY_MISSED', 'The client went away before its body was complete.'))
      }
      this.#onFailure = settle
      raw.once('end', settle).once('close', settle).once('error', settle)
      raw.resume()
    })
  }

  /** An earlier hook that awaited something let the first bytes arrive; they are in the stream's buffer, in front of nobody. */
  #takeWhatIsBuffered (): void {
    const raw = this.#raw
    if (raw.readableLength === 0) return
    const chunk = raw.read() as Buffer
    // Put back in the same turn: nobody sees that they were gone, and `end` is not emitted over a filled buffer.
    raw.unshift(chunk)
    this.#add(chunk)
  }

  #add (chunk: Buffer): void {
    if (this.#failure !== undefined) return
    if (this.#length + chunk.length > this.#limit) {
      this.#fail(new GeordiError('GEORDI_BODY_TOO_LARGE', `The request's body is larger than geordi captures (${this.#limit} bytes). Raise its option \`bodyLimit\`.`))
    } else if (held + chunk.length > HELD_LIMIT) {
      this.#fail(new GeordiError('GEORDI_BODY_TOO_LARGE', 'Too many large flagged requests are under way at once. Try again in a moment.'))
    } else {
      this.#chunks.push(chunk)
      this.#length += chunk.length
      held += chunk.length
    }
  }

  #fail (failure: GeordiError): void {
    this.#failure = failure
    this.release()
    this.#onFailure()
  }
}

import { ReplayError } from './errors.ts'

/** A request as it came over the wire: all that is needed to send it once more, byte for byte. */
export interface CapturedRequest {
  readonly method: string
  /** Path and query as spelled by the client, without geordi's own parameter. */
  readonly url: string
  /** The URL as pages and reports show it: without the values of its credentials. @defaultValue `url` */
  readonly shownUrl?: string
  /** `'1.0'`, `'1.1'` or `'2.0'`. */
  readonly httpVersion: string
  /** Names and values in turn, in the client's order and case (Node's `rawHeaders`). */
  readonly rawHeaders: readonly string[]
  /** The body as received: still compressed, chunked framing removed. Empty where there was none. */
  readonly body: Uint8Array
  /** What followed the body, as {@link rawHeaders}. @defaultValue nothing */
  readonly rawTrailers?: readonly string[]
  readonly connection: CapturedConnection
  /** When it was captured: milliseconds since 1970. */
  readonly capturedAt: number
  /** Who asked for the profile, from the plugin's `identify` option. */
  readonly by?: string
  /** What the plugin's `capture` hook returned; JSON. */
  readonly context?: unknown
  /** An in-memory session of @fastify/session, which the replay process could not find by itself. */
  readonly session?: CapturedSession
}

/** The socket's ends, as Node names them (`net.Socket`), so that `request.ip` and `request.protocol` are in the replay what they were. */
export interface CapturedConnection {
  /** Whether the connection to the app itself was TLS. */
  readonly encrypted: boolean
  readonly remoteAddress?: string
  readonly remotePort?: number
  readonly remoteFamily?: string
  readonly localAddress?: string
  readonly localPort?: number
}

/** A session as its store held it. */
export interface CapturedSession {
  readonly id: string
  /** The session as JSON text. */
  readonly data: string
}

const FORMAT = 1

/**
 * Writes a captured request as bytes: a length, the JSON of all but the body, the body as it is.
 * The body stays out of the JSON because base64 would cost a third more memory in the web process.
 */
export function encodeCapture (request: CapturedRequest): Buffer {
  const { body, ...rest } = request
  const head = Buffer.from(JSON.stringify({ format: FORMAT, ...rest }))
  const length = Buffer.alloc(4)
  length.writeUInt32BE(head.length)
  return Buffer.concat([length, head, body])
}

/**
 * Reads what {@link encodeCapture} wrote.
 * @throws ReplayError `GEORDI_CAPTURE_UNREADABLE` for anything else.
 */
export function decodeCapture (bytes: Uint8Array): CapturedRequest {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  try {
    const end = 4 + buffer.readUInt32BE(0)
    if (end > buffer.length) throw new RangeError('the head is cut off')
    const { format, ...head } = JSON.parse(buffer.toString('utf8', 4, end)) as { format: number } & Omit<CapturedRequest, 'body'>
    if (format !== FORMAT) throw new TypeError(`format ${format} instead of ${FORMAT}`)
    return { ...head, body: buffer.subarray(end) }
  } catch (cause) {
    throw new ReplayError('GEORDI_CAPTURE_UNREADABLE',
      'The captured request can\'t be read. Run the same version of geordi in the web process and in the worker.', { cause })
  }
}

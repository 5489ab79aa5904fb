/*
 * What the main thread and the watcher share, so that the watcher knows of requests while the main thread hangs. Numbers are written
 * when a request comes and goes; its text by the next tick, since most requests are over by then.
 */

/** Places of the header's numbers. */
export const HEADER = {
  /** How many requests are open. */
  open: 0,
  /** How many listeners the app itself has for the signal. */
  sigterm: 1,
  sigabrt: 2,
  /** Counts evidence that was written for an exit. */
  written: 3,
  /** Length of the note, 0 for none. */
  note: 4,
  sigint: 5
} as const

/** The signals that end a process and can be heard, with the place of the number of the app's own listeners. */
export const SIGNALS = { SIGTERM: HEADER.sigterm, SIGINT: HEADER.sigint, SIGABRT: HEADER.sigabrt } as const
export type Signal = keyof typeof SIGNALS

const HEADER_BYTES = 64
/** Bytes of the note on a blocking call: JSON. */
export const NOTE_BYTES = 16384

/** Requests in one chunk of memory; more of them take more chunks. Larger chunks cost each request time: their places are cold when they come round. */
export const CHUNK = 512
/** Bytes of a request's text: JSON. */
export const TEXT_BYTES = 256

/** `due` of a request that needs no report any more. */
export const NEVER = Infinity

/** What is known of a request. */
export const KNOWN = {
  /** Its start alone. */
  no: 0,
  /** Its text and when it is due. */
  yes: 1,
  /** The watcher has reported it without the main thread's help. */
  taken: 2
} as const

export interface Shared {
  readonly buffer: SharedArrayBuffer
  readonly header: Int32Array
  /** What the main thread is about to be blocked by. */
  readonly note: Buffer
}

/** The state of {@link CHUNK} requests; `start` of a free place is 0. */
export interface Chunk {
  readonly buffer: SharedArrayBuffer
  /** Milliseconds, the main thread's `performance.now()`. */
  readonly start: Float64Array
  /** When to look at it next, on the same clock. */
  readonly due: Float64Array
  /** See {@link KNOWN}. */
  readonly known: Uint8Array
  readonly text: Buffer
}

export function toShared (buffer = new SharedArrayBuffer(HEADER_BYTES + NOTE_BYTES)): Shared {
  return { buffer, header: new Int32Array(buffer, 0, HEADER_BYTES / 4), note: Buffer.from(buffer, HEADER_BYTES, NOTE_BYTES) }
}

export function toChunk (buffer = new SharedArrayBuffer(CHUNK * (8 + 8 + 1 + TEXT_BYTES))): Chunk {
  return {
    buffer,
    start: new Float64Array(buffer, 0, CHUNK),
    due: new Float64Array(buffer, CHUNK * 8, CHUNK),
    known: new Uint8Array(buffer, CHUNK * 16, CHUNK),
    text: Buffer.from(buffer, CHUNK * 17, CHUNK * TEXT_BYTES)
  }
}

/** Writes JSON, cut to a text that is valid where it is too long: `shorten` gives the value with less in it. */
export function writeJson (into: Buffer, value: unknown, shorten: (value: any) => unknown): number {
  const text = JSON.stringify(value)
  const bytes = Buffer.byteLength(text)
  if (bytes > into.length - 4) return writeJson(into, shorten(value), () => null)
  into.writeInt32LE(bytes, 0)
  into.write(text, 4)
  return bytes
}

export function readJson<Value> (from: Buffer): Value | undefined {
  const length = from.readInt32LE(0)
  return length === 0 ? undefined : JSON.parse(from.toString('utf8', 4, 4 + length)) as Value
}

/*
 * What the main thread and the watcher share, so that the watcher knows of requests while the main thread hangs. A request is written down
 * by the first tick that meets it, since most are over by then; until then it is known that there are some.
 */

import type { DescriptorCall } from '@geordi/waits/live'

/** Places of the header's numbers. */
export const HEADER = {
  /** How many requests are listed. */
  open: 0,
  /** How many listeners the app itself has for the signal. */
  sigterm: 1,
  sigabrt: 2,
  /** Counts evidence that was written for an exit. */
  written: 3,
  /** See {@link NOTED}. */
  note: 4,
  sigint: 5,
  /** Of a call on a descriptor: which of {@link DESCRIPTOR_CALLS}, and the descriptor. */
  call: 6,
  descriptor: 7
} as const

/** What the main thread is about to be blocked by. */
export const NOTED = {
  nothing: 0,
  /** What the note says. */
  call: 1,
  /** A call on a descriptor, which the header tells. */
  descriptorCall: 2
} as const

export const DESCRIPTOR_CALLS: readonly DescriptorCall[] = ['readSync', 'writeSync', 'fsyncSync']

/** The signals that end a process and can be heard, with the place of the number of the app's own listeners. */
export const SIGNALS = { SIGTERM: HEADER.sigterm, SIGINT: HEADER.sigint, SIGABRT: HEADER.sigabrt } as const
export type Signal = keyof typeof SIGNALS

const HEADER_BYTES = 64
/** Bytes of the note on a blocking call: JSON. */
export const NOTE_BYTES = 16384
const TIMES_BYTES = 24

/** Requests in one chunk of memory; more of them take more chunks. Larger chunks cost each request time: their places are cold when they come round. */
export const CHUNK = 512
/** Bytes of a request's text: JSON. */
export const TEXT_BYTES = 256

/** `due` of a request that needs no report any more. */
export const NEVER = Infinity

/** `state` of a request that the watcher has reported without the main thread's help. */
export const TAKEN = 1

export interface Shared {
  readonly buffer: SharedArrayBuffer
  readonly header: Int32Array
  /** A call that blocks, as JSON. */
  readonly note: Buffer
  /** Times by the main thread's `performance.now()`, see {@link TIMES}. */
  readonly times: Float64Array
}

/** Places of the times. */
export const TIMES = {
  /** When a call on a descriptor began. */
  call: 0,
  /** When the first request came that is not listed yet; it may have been answered. 0 for none. */
  fresh: 1,
  /** When the watcher reported those that were not listed yet; 0 for never, and once they are listed. */
  taken: 2
} as const

/** Whether requests may be open. */
export function mayBeOpen ({ header, times }: Shared): boolean {
  return Atomics.load(header, HEADER.open) > 0 || times[TIMES.fresh] !== 0
}

/** The state of {@link CHUNK} requests; `start` of a free place is 0. */
export interface Chunk {
  readonly buffer: SharedArrayBuffer
  /** Milliseconds, the main thread's `performance.now()`. */
  readonly start: Float64Array
  /** When to look at it next, on the same clock. */
  readonly due: Float64Array
  /** {@link TAKEN} or 0. */
  readonly state: Uint8Array
  readonly text: Buffer
}

export function toShared (buffer = new SharedArrayBuffer(HEADER_BYTES + NOTE_BYTES + TIMES_BYTES)): Shared {
  return { buffer, header: new Int32Array(buffer, 0, HEADER_BYTES / 4), note: Buffer.from(buffer, HEADER_BYTES, NOTE_BYTES), times: new Float64Array(buffer, HEADER_BYTES + NOTE_BYTES, TIMES_BYTES / 8) }
}

export function toChunk (buffer = new SharedArrayBuffer(CHUNK * (8 + 8 + 1 + TEXT_BYTES))): Chunk {
  return {
    buffer,
    start: new Float64Array(buffer, 0, CHUNK),
    due: new Float64Array(buffer, CHUNK * 8, CHUNK),
    state: new Uint8Array(buffer, CHUNK * 16, CHUNK),
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

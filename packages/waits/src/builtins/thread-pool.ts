import crypto from 'node:crypto'
import zlib from 'node:zlib'
import { patch, type Target } from '../patch.ts'
import { activeRecorder, type Recorder } from '../recorder.ts'
import type { WaitStart } from '../wait-log.ts'
import { patchCallbacks, patchPromises, patchSync } from './callbacks.ts'

const CRYPTO = [
  'checkPrime', 'diffieHellman', 'generateKey', 'generateKeyPair', 'generatePrime', 'hkdf', 'pbkdf2', 'randomBytes', 'randomFill', 'randomInt', 'scrypt',
  'sign', 'verify'
]
const SUBTLE = [
  'decrypt', 'deriveBits', 'deriveKey', 'digest', 'encrypt', 'exportKey', 'generateKey', 'importKey', 'sign', 'unwrapKey', 'verify', 'wrapKey'
]
const ONE_SHOT = [
  'brotliCompress', 'brotliDecompress', 'deflate', 'deflateRaw', 'gunzip', 'gzip', 'inflate', 'inflateRaw', 'unzip', 'zstdCompress', 'zstdDecompress'
]

/** Work in libuv's threads: hardly to be seen in a CPU profile, and a cause of slowness where it is done in tiny pieces. */
export function patchThreadPool (): void {
  const describe = (name: string): WaitStart => ({ kind: 'threadpool', statement: name, target: 'crypto', driver: 'node:crypto' })
  patchCallbacks(crypto, CRYPTO, describe)
  patchSync(crypto, ['pbkdf2Sync', 'scryptSync', 'hkdfSync', 'generateKeyPairSync'], describe)
  patchPromises(Object.getPrototypeOf(crypto.webcrypto.subtle) as Target, SUBTLE, describe)
  const describeZlib = (name: string): WaitStart => ({ kind: 'threadpool', statement: name, target: 'zlib', driver: 'node:zlib' })
  patchCallbacks(zlib, ONE_SHOT, describeZlib, bytesOf)
  patchSync(zlib, ONE_SHOT.map(name => `${name}Sync`), describeZlib, bytesOf)
  patchZlibStreams(describeZlib)
}

function bytesOf (result: unknown): { bytes?: number } {
  return result instanceof Uint8Array ? { bytes: result.byteLength } : {}
}

/**
 * Each chunk that a stream of zlib compresses, or flushes, is one piece of work. The streams' handles are the only place that sees
 * them all: `init` takes the function that is called after each, `write` starts one.
 */
function patchZlibStreams (describe: (name: string) => WaitStart): void {
  const makers: Array<(() => object) | undefined> = [
    zlib.createGzip, zlib.createBrotliCompress, zlib.createBrotliDecompress, ...['createZstdCompress', 'createZstdDecompress'].map(name => (zlib as any)[name])
  ]
  for (const make of makers) {
    const stream = make?.() as { _handle?: object, close (): void } | undefined
    if (stream?._handle === undefined) continue
    const prototype = Object.getPrototypeOf(stream._handle) as Target
    stream.close()
    patch(prototype, 'init', original => function (...args: unknown[]) {
      return Reflect.apply(original, this, args.map(argument => typeof argument === 'function' ? finished(argument) : argument))
    })
    patch(prototype, 'write', original => function (...args: unknown[]) {
      const recorder = activeRecorder()
      if (recorder !== undefined) {
        const [flush, , , bytes] = args as [number, unknown, unknown, number]
        const record = recorder.record()
        // What a one-shot function does within goes on in its name, and is no work of its own.
        const wait = recorder.inDriver ? undefined : recorder.open(record, describe(flush === 0 ? 'stream chunk' : 'stream flush'))
        pending.set(this as object, { recorder, record, wait, bytes })
      }
      return Reflect.apply(original, this, args)
    })
  }
}

/** The work that a handle was given: in whose name, its wait, and the bytes that were handed over. */
const pending = new WeakMap<object, { readonly recorder: Recorder, readonly record: number, readonly wait: number | undefined, readonly bytes: number }>()

function finished (callback: Function) {
  return function (this: object, ...args: unknown[]): unknown {
    const work = pending.get(this)
    if (work === undefined) return Reflect.apply(callback, this, args)
    pending.delete(this)
    const { recorder, record, wait, bytes } = work
    if (wait !== undefined && recorder.isRunning) recorder.close(wait, false, undefined, bytes)
    return recorder.enter(record, callback, this, args)
  }
}

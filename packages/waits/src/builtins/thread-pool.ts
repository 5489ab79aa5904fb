import crypto from 'node:crypto'
import zlib from 'node:zlib'
import { recorderOutsideDrivers } from '../observe.ts'
import { patch, type Target } from '../patch.ts'
import { activeRecorder } from '../recorder.ts'
import { readStamp, writeStamp } from '../stamp.ts'
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
      const recorder = recorderOutsideDrivers()
      if (recorder !== undefined) {
        const handle = this as object
        const record = recorder.record()
        const [flush, , , bytes] = args as [number, unknown, unknown, number]
        writeStamp(handle, recorder.open(record, describe(flush === 0 ? 'stream chunk' : 'stream flush')) + 1)
        pending.set(handle, { record, bytes })
      }
      return Reflect.apply(original, this, args)
    })
  }
}

/** The records in whose name a handle's work was started, and the bytes that were handed to it. */
const pending = new WeakMap<object, { readonly record: number, readonly bytes: number }>()

function finished (callback: Function) {
  return function (this: object, ...args: unknown[]): unknown {
    const stamp = readStamp(this)
    const recorder = activeRecorder()
    if (stamp === 0 || recorder === undefined) return Reflect.apply(callback, this, args)
    writeStamp(this, 0)
    const { record, bytes } = pending.get(this)!
    recorder.close(stamp - 1, false, undefined, bytes)
    return recorder.enter(record, callback, this, args)
  }
}

import fs from 'node:fs'
import fsPromises from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { recorderOutsideDrivers, waitForPromise } from '../observe.ts'
import { patch, type Target } from '../patch.ts'
import type { WaitStart } from '../wait-log.ts'
import { patchCallbacks, patchPromises, patchSync } from './callbacks.ts'

const OPERATIONS = [
  'access', 'appendFile', 'chmod', 'chown', 'copyFile', 'cp', 'lchown', 'link', 'lstat', 'lutimes', 'mkdir', 'mkdtemp', 'open', 'opendir', 'readFile',
  'readdir', 'readlink', 'realpath', 'rename', 'rm', 'rmdir', 'stat', 'statfs', 'symlink', 'truncate', 'unlink', 'utimes', 'writeFile'
]
/** On a descriptor, with callbacks or blocking; of a FileHandle they are methods. */
const DESCRIPTOR_OPERATIONS = [
  'close', 'fchmod', 'fchown', 'fdatasync', 'fstat', 'fsync', 'ftruncate', 'futimes', 'read', 'readv', 'write', 'writev'
]
const HANDLE_METHODS = [
  'appendFile', 'chmod', 'chown', 'datasync', 'read', 'readFile', 'readv', 'stat', 'sync', 'truncate', 'utimes', 'write', 'writeFile', 'writev'
]

/** Files: callbacks, promises and blocking calls. Streams of files use the callbacks. */
export function patchFs (): void {
  const names = [...OPERATIONS, ...DESCRIPTOR_OPERATIONS]
  patchCallbacks(fs, names, describe, size)
  patchSync(fs, [...names, 'exists'].map(name => `${name}Sync`), describe, size)
  patchPromises(fsPromises, OPERATIONS.filter(name => name !== 'open'), describe, size)
  // There is no other way to the class than an open file.
  patch(fsPromises, 'open', original => function (...args: unknown[]) {
    const recorder = recorderOutsideDrivers()
    if (recorder === undefined) return Reflect.apply(original, this, args)
    return waitForPromise(recorder, describe('open', args), original, this, args, (handle: object) => {
      patchHandles(handle)
      return {}
    })
  })
}

let handlesPatched = false

function patchHandles (handle: object): void {
  if (handlesPatched) return
  handlesPatched = true
  patchPromises(Object.getPrototypeOf(handle) as Target, HANDLE_METHODS, name => ({ kind: 'file', statement: name, driver: 'node:fs' }), size)
}

function describe (name: string, args: unknown[]): WaitStart {
  return { kind: 'file', statement: name, target: fileName(args[0]), driver: 'node:fs', values: args[0] instanceof URL ? args[0].href : args[0] }
}

function fileName (file: unknown): string {
  if (typeof file === 'string') return file
  if (file instanceof Uint8Array) return Buffer.from(file).toString()
  if (!(file instanceof URL)) return ''
  try {
    return fileURLToPath(file)
  } catch {
    // No URL of a file: fs will say so itself.
    return ''
  }
}

function size (result: unknown): { bytes?: number } {
  if (typeof result === 'string') return { bytes: result.length }
  if (result instanceof Uint8Array) return { bytes: result.byteLength }
  if (typeof result === 'number') return { bytes: result }
  const { bytesRead, bytesWritten } = (result ?? {}) as { bytesRead?: number, bytesWritten?: number }
  const bytes = bytesRead ?? bytesWritten
  return bytes === undefined ? {} : { bytes }
}

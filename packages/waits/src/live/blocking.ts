import childProcess from 'node:child_process'
import crypto from 'node:crypto'
import fs from 'node:fs'
import zlib from 'node:zlib'
import { patchSync } from '../builtins/callbacks.ts'
import type { WaitStart } from '../wait-log.ts'

/** Calls that can block for long, and can't be interrupted. What opens and reads files can, where the file is a pipe or on a network. */
export function patchBlocking (): void {
  patchSync(childProcess, ['execSync', 'execFileSync', 'spawnSync'], (name, args) => describe('process', name, 'node:child_process', command(args)))
  patchSync(fs, ['readFileSync', 'openSync', 'readSync', 'writeFileSync', 'writeSync', 'appendFileSync', 'cpSync', 'rmSync', 'fsyncSync'],
    (name, args) => describe('file', name, 'node:fs', typeof args[0] === 'string' || args[0] instanceof URL ? String(args[0]) : ''))
  patchSync(crypto, ['pbkdf2Sync', 'scryptSync', 'generateKeyPairSync', 'generatePrimeSync'], name => describe('threadpool', name, 'node:crypto', ''))
  const codecs = ['gzipSync', 'gunzipSync', 'deflateSync', 'inflateSync', 'brotliCompressSync', 'brotliDecompressSync', 'unzipSync']
  patchSync(zlib, codecs, name => describe('threadpool', name, 'node:zlib', ''))
}

function describe (kind: WaitStart['kind'], statement: string, driver: string, target: string): WaitStart {
  return { kind, statement, driver, target }
}

/** The program alone: its arguments may be secrets. */
function command ([first]: unknown[]): string {
  return String(first).trim().split(/\s/, 1)[0] ?? ''
}

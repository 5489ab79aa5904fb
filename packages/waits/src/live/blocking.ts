import childProcess from 'node:child_process'
import crypto from 'node:crypto'
import fs from 'node:fs'
import zlib from 'node:zlib'
import { firstWord } from '../first-word.ts'
import { patch, type Target } from '../patch.ts'
import { activeRecorder } from '../recorder.ts'
import { LiveRecorder } from './live-recorder.ts'

const WITH_PATH = ['readFileSync', 'openSync', 'writeFileSync', 'appendFileSync', 'cpSync', 'rmSync']
/** Loggers call these for each line: to note a stack, or a text, would cost more than they do. */
const ON_DESCRIPTORS = ['readSync', 'writeSync', 'fsyncSync'] as const
const PROCESSES = ['execSync', 'execFileSync', 'spawnSync']
const SECRETS = ['pbkdf2Sync', 'scryptSync', 'generateKeyPairSync', 'generatePrimeSync']
const CODECS = ['gzipSync', 'gunzipSync', 'deflateSync', 'inflateSync', 'brotliCompressSync', 'brotliDecompressSync', 'unzipSync']

/** Calls that can block for long. What opens and reads files can, where the file is a pipe or on a network. */
export function patchBlocking (): void {
  patchCalls(childProcess, PROCESSES, program)
  patchCalls(fs, WITH_PATH, path => typeof path === 'string' || path instanceof URL ? String(path) : '')
  patchDescriptorCalls()
  patchCalls(crypto, SECRETS, () => '')
  patchCalls(zlib, CODECS, () => '')
}

function patchDescriptorCalls (): void {
  for (const name of ON_DESCRIPTORS) {
    patch(fs, name, original => function (...args: unknown[]) {
      const recorder = activeRecorder()
      if (!(recorder instanceof LiveRecorder) || !recorder.blocksOn(name, args[0])) return Reflect.apply(original, this, args)
      try {
        return Reflect.apply(original, this, args)
      } finally {
        recorder.blocked()
      }
    })
  }
}

function patchCalls (target: Target, names: readonly string[], describe: (first: unknown) => string): void {
  for (const name of names) {
    patch(target, name, original => function (...args: unknown[]) {
      const recorder = activeRecorder()
      if (!(recorder instanceof LiveRecorder) || !recorder.blocks(name, () => describe(args[0]))) return Reflect.apply(original, this, args)
      try {
        return Reflect.apply(original, this, args)
      } finally {
        recorder.blocked()
      }
    })
  }
}

/** The program alone: its arguments may be secrets. */
function program (first: unknown): string {
  return firstWord(String(first))
}

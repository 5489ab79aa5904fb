import { decodeText } from '../decode-text.ts'
import { ProfileError } from '../errors.ts'
import type { Profile } from '../model.ts'
import { finite, isObject, type Json } from './format.ts'
import { readMetadata } from './metadata.ts'
import { readSamples, trimSamples } from './samples.ts'
import { readTree } from './tree.ts'

/**
 * Reads a V8 CPU profile (`.cpuprofile`): from `node --cpu-prof`, `node:inspector`, Chrome DevTools or
 * v8-profiler-next, and the formats of older V8s (a nested `head`, or hit counts without samples).
 *
 * - Lines and columns are counted from 1 in the result, from 0 in the file.
 * - Equal frames (name, url, line, column) become one; the call tree's nodes stay apart.
 * - Where V8 wrote samples out of order (a negative `timeDelta`), they are put in the order of their times.
 * - A file without samples has its hit counts spread evenly over its duration; their order means nothing then.
 * - The key `geordi` gives the run, and the samples are cut to its window; a gap astride an edge is cut there.
 *
 * @param source The file's text or its bytes (UTF-8), or the object parsed from it, which is not changed.
 * @throws {ProfileError} for whatever isn't such a profile, with a code and the reason.
 */
export function importCpuProfile (source: string | Uint8Array | object): Profile {
  const file = parseCpuProfile(source)
  const metadata = readMetadata(file.geordi)
  const { nodes, legacy, frames, tree, indexOf } = readTree(file)
  // Before the DevTools Protocol, Chrome wrote the start and end in seconds beside timestamps in microseconds.
  const unit = legacy ? 1e6 : 1
  const startTime = (finite(file.startTime) ?? 0) * unit
  const endTime = (finite(file.endTime) ?? startTime / unit) * unit
  const recorded = readSamples(file, nodes, indexOf, startTime, endTime)
  const trimmed = metadata.window === undefined ? recorded : trimSamples(recorded, metadata.window)
  return { frames, tree, samples: trimmed.samples, startTime: trimmed.startTime, run: metadata.run }
}

/**
 * The JSON object of a `.cpuprofile` file, of which no more is sure than that it looks like one: for who wants to read a key that
 * {@link importCpuProfile} doesn't know, without parsing the file twice.
 *
 * @throws {ProfileError} `GEORDI_PROFILE_NOT_JSON`, `GEORDI_PROFILE_NOT_CPUPROFILE`
 */
export function parseCpuProfile (source: string | Uint8Array | object): Json {
  const value = typeof source === 'string' || source instanceof Uint8Array ? parseText(source) : source
  if (isObject(value) && (Array.isArray(value.nodes) || isObject(value.head))) return value
  throw new ProfileError('GEORDI_PROFILE_NOT_CPUPROFILE', `This isn't a V8 CPU profile: ${whatElse(value)}. ` +
    'Record one with "node --cpu-prof script.js", or save a .cpuprofile in DevTools.')
}

function parseText (source: string | Uint8Array): unknown {
  if (typeof source !== 'string' && source[0] === 0x1f && source[1] === 0x8b) {
    throw new ProfileError('GEORDI_PROFILE_NOT_JSON', 'The profile is compressed with gzip: unpack it first (gunzip).')
  }
  try {
    return JSON.parse(typeof source === 'string' ? source.replace(/^\uFEFF/, '') : decodeText(source))
  } catch (cause) {
    const empty = source.length === 0
    throw new ProfileError('GEORDI_PROFILE_NOT_JSON', empty
      ? 'The profile is empty: the recording process probably died before it could write it.'
      : `The profile isn't JSON text, or was cut off: ${(cause as Error).message}.`, { cause })
  }
}

function whatElse (value: unknown): string {
  if (!isObject(value)) return `it holds ${Array.isArray(value) ? 'a list' : value === null ? 'null' : `a ${typeof value}`}`
  if ('traceEvents' in value) return 'it is a trace of the whole browser (Performance panel)'
  if (isObject(value.head) || 'snapshot' in value) return 'it is a heap profile or a heap snapshot'
  return 'it has no list of "nodes"'
}

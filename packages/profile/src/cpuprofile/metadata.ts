import { ProfileError } from '../errors.ts'
import type { Run } from '../model.ts'
import { finite, isObject } from './format.ts'

/** What the key `geordi` of a file says. */
export interface Metadata {
  readonly run: Run
  readonly window?: { readonly start: number, readonly end: number }
}

type FieldType = 'string' | 'number' | readonly string[]

/** The fields of a run that are objects, and the types of theirs; those with an exclamation mark make the object useless when missing. */
const PARTS = {
  request: { 'method!': 'string', 'url!': 'string', capturedAt: 'number', by: 'string', bodyText: 'string', bodyTextLength: 'number' },
  response: { 'statusCode!': 'number', bytes: 'number', contentType: 'string' },
  process: { 'hostname!': 'string', 'pid!': 'number', 'node!': 'string', app: 'string', root: 'string', workspace: 'string' },
  profiler: { 'engine!': ['v8-profiler-next', 'node:inspector'], 'interval!': 'number', widest: 'number' }
} as const satisfies Record<string, Record<string, FieldType>>

const TOP = { title: 'string', wallTime: 'number', ended: 'string' } as const satisfies Record<string, FieldType>

/**
 * Takes over what is as it should be. A field of a wrong type is left out, for it's only shown; an unknown version or a
 * senseless window would make wrong numbers, and is an error.
 */
export function readMetadata (value: unknown): Metadata {
  if (value === undefined) return { run: {} }
  if (!isObject(value)) throw bad('it isn\'t an object')
  if (value.version !== 1) throw bad(`its version is ${JSON.stringify(value.version)}, and this Geordi knows version 1; update it`)
  return { run: readRun(value.run), ...value.window !== undefined && { window: readWindow(value.window) } }
}

function readRun (value: unknown): Run {
  const run: Record<string, unknown> = pick(value, TOP) ?? {}
  if (!isObject(value)) return run
  for (const [name, types] of Object.entries(PARTS)) {
    const part = pick(value[name], types)
    if (part !== undefined) run[name] = part
  }
  return run
}

function readWindow (value: unknown): { start: number, end: number } {
  const start = isObject(value) ? finite(value.start) : undefined
  const end = isObject(value) ? finite(value.end) : undefined
  if (start === undefined || end === undefined || end < start) throw bad('its window has no start before an end')
  return { start, end }
}

function pick (value: unknown, types: Record<string, FieldType>): Record<string, unknown> | undefined {
  if (!isObject(value)) return undefined
  const picked: Record<string, unknown> = {}
  for (const [key, type] of Object.entries(types)) {
    const name = key.replace('!', '')
    const field = value[name]
    if (matches(field, type)) picked[name] = field
    else if (name !== key) return undefined
  }
  return picked
}

function matches (value: unknown, type: FieldType): boolean {
  if (type === 'number') return finite(value) !== undefined && (value as number) >= 0
  return type === 'string' ? typeof value === 'string' : type.includes(value as string)
}

function bad (what: string): ProfileError {
  return new ProfileError('GEORDI_PROFILE_BAD_METADATA', `The profile's key "geordi" can't be read: ${what}. Without the key the rest can.`)
}

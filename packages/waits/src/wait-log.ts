import type { WaitKind } from '@geordi/profile'
import { floats, integers } from './columns.ts'
import { OUTCOME, type RecordedOperation, type RecordedWaits } from './recording.ts'

/** What is known of an operation when it begins. */
export interface WaitStart {
  readonly kind: WaitKind
  /** Host, database or file. */
  readonly target?: string
  /** What was asked for, without values. */
  readonly statement?: string
  /** Tells operations of one statement apart, by their values: equal ones ask the same again. */
  readonly values?: unknown
  /** The npm package or `node:` module that does it, whose own frames aren't the caller. */
  readonly driver?: string
  /** It blocks the thread while it lasts. */
  readonly sync?: boolean
  /** Values were handed over apart from the statement. */
  readonly parameters?: boolean
}

/** The waits of a recording, as columns. */
export class WaitLog {
  readonly #operations: RecordedOperation[] = []
  readonly #operationIds = new Map<string, number>()
  #last = -1
  readonly #operation = integers()
  readonly #record = integers()
  readonly #start = floats()
  readonly #end = floats()
  readonly #outcome = integers()
  readonly #rows = floats()
  readonly #bytes = floats()
  readonly #same = integers()

  open (record: number, time: number, start: WaitStart): number {
    this.#operation.push(this.#operationOf(start))
    this.#record.push(record)
    this.#end.push(NaN)
    this.#outcome.push(OUTCOME.open)
    this.#rows.push(NaN)
    this.#bytes.push(NaN)
    this.#same.push(start.values === undefined ? 0 : hash(start.values))
    return this.#start.push(time)
  }

  close (wait: number, time: number, failed: boolean, rows = NaN, bytes = NaN): void {
    if (!this.isOpen(wait)) return
    this.#end.set(wait, time)
    this.#outcome.set(wait, failed ? OUTCOME.failed : OUTCOME.done)
    this.#rows.set(wait, rows)
    this.#bytes.set(wait, bytes)
  }

  isOpen (wait: number): boolean {
    return this.#outcome.at(wait) === OUTCOME.open
  }

  discard (wait: number): void {
    if (this.isOpen(wait)) this.#outcome.set(wait, OUTCOME.discarded)
  }

  toColumns (end: number): RecordedWaits {
    return {
      operations: this.#operations,
      operation: this.#operation.toArray(),
      record: this.#record.toArray(),
      start: this.#start.toArray(),
      end: this.#end.toArray().map(time => Number.isNaN(time) ? end : time),
      outcome: this.#outcome.toArray(),
      // JSON has no NaN.
      rows: this.#rows.toArray().map(known),
      bytes: this.#bytes.toArray().map(known),
      same: this.#same.toArray()
    }
  }

  #operationOf ({ kind, target = '', statement = '', driver = '', sync = false, parameters = false }: WaitStart): number {
    // Loops ask for the same again.
    const last = this.#operations[this.#last]
    if (last !== undefined && last.statement === statement && last.target === target && last.kind === kind && last.driver === driver && last.sync === sync &&
      (last.parameters ?? false) === parameters) {
      return this.#last
    }
    const key = `${kind}\n${driver}\n${target}\n${sync ? 1 : 0}${parameters ? 1 : 0}\n${statement}`
    let id = this.#operationIds.get(key)
    if (id === undefined) {
      id = this.#operations.push({ kind, target, statement, driver, sync, ...parameters && { parameters } }) - 1
      this.#operationIds.set(key, id)
    }
    this.#last = id
    return id
  }
}

function known (number: number): number | null {
  return Number.isNaN(number) ? null : number
}

/** Longer values are compared by their beginning, their end and their length. */
const HASHED = 500
const MOST_DEPTH = 5
const MOST_PARTS = 100

/** A hash (FNV-1a) of what the values look like. Only equality counts: the values themselves are not kept. */
function hash (values: unknown): number {
  // 0 says that nothing is known of the values.
  return hashValue(0x811c9dc5, values, 0) | 1
}

function hashValue (seed: number, value: unknown, depth: number): number {
  switch (typeof value) {
    case 'string': return hashText(seed, value)
    case 'number': return (value | 0) === value ? Math.imul(seed ^ value, 0x01000193) : hashText(seed ^ 1, String(value))
    case 'object': return value === null ? Math.imul(seed ^ 2, 0x01000193) : hashObject(seed, value, depth)
    default: return hashText(seed ^ 3, String(value))
  }
}

function hashObject (seed: number, value: object, depth: number): number {
  if (value instanceof Uint8Array) return hashText(Math.imul(seed ^ value.byteLength, 0x01000193), ends(value))
  if (value instanceof Date) return hashText(seed, String(value.getTime()))
  if (depth >= MOST_DEPTH) return seed
  let result = seed
  const keys = Array.isArray(value) ? undefined : Object.keys(value)
  const count = keys?.length ?? (value as unknown[]).length
  for (let at = 0; at < Math.min(count, MOST_PARTS); at++) {
    const key = keys?.[at]
    if (key !== undefined) result = hashText(result, key)
    result = hashValue(result, key === undefined ? (value as unknown[])[at] : (value as Record<string, unknown>)[key], depth + 1)
  }
  return Math.imul(result ^ count, 0x01000193)
}

function ends (bytes: Uint8Array): string {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return buffer.toString('latin1', 0, HASHED) + buffer.toString('latin1', Math.max(HASHED, buffer.length - HASHED))
}

function hashText (seed: number, text: string): number {
  let result = seed
  const beginning = Math.min(text.length, HASHED)
  for (let at = 0; at < beginning; at++) result = Math.imul(result ^ text.charCodeAt(at), 0x01000193)
  for (let at = Math.max(beginning, text.length - HASHED); at < text.length; at++) result = Math.imul(result ^ text.charCodeAt(at), 0x01000193)
  return Math.imul(result ^ text.length, 0x01000193)
}

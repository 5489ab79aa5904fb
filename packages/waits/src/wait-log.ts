import type { WaitKind } from '@geordi/profile'
import { floats, integers } from './columns.ts'
import { Examples } from './examples.ts'
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
  /** The same of what isn't to be shown to anybody, who wants to see the values either: headers. */
  readonly hidden?: string
  /** The npm package or `node:` module that does it, whose own frames aren't the caller. */
  readonly driver?: string
  /** It blocks the thread while it lasts. */
  readonly sync?: boolean
  /** Values were handed over apart from the statement. */
  readonly parameters?: boolean
  /** How many connections a pool has at most. */
  readonly connections?: number | undefined
}

/** The bytes that a wait has in its columns. */
const WAIT_BYTES = 48

/** So many different ones are told apart: statements with values that nothing tells from words, files of their own. */
const MOST_OPERATIONS = 50_000
const OTHERS = '(others)'
/** Where so many different ones were called is remembered. */
const MOST_PLACES = 1000

/** Numbers of waits that are only counted; below are rows. */
const COUNTED = 2 ** 40

/** Microseconds that one row of counted waits lasts at most, for a start; twice as long after so many rows, and so on. */
const SLICE = 100_000
const MOST_ROWS = 20_000
/** What may be between two waits of a row, as a part of a slice. */
const GAP = 0.05

/** What is counted when it ends. */
interface Begun {
  readonly operation: number
  readonly record: number
  readonly start: number
  readonly same: number
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
  #next = COUNTED
  readonly #begun = new Map<number, Begun>()
  /** For waits that were to be counted, and became rows of their own. */
  readonly #singles = new Map<number, number>()
  readonly #counted = new Map<number, { count: number, time: number, longest: number }>()
  /** The last row of each operation and place. */
  readonly #latest = new Map<string, number>()
  #slices = 0
  #slice = SLICE
  /** For each operation a number that those share whose place is taken for one another's: files and hosts are many, and asked from the same places. */
  readonly #likeness: number[] = []
  readonly #likenessIds = new Map<string, number>()
  /** The record of the last operation that was looked at, for those like it. */
  readonly #places = new Map<number, number>()
  #assumed = 0
  readonly #examples: Examples | undefined

  /** @param keepsValues Whether what the longest wait of each operation was asked with is kept. */
  constructor (keepsValues = false) {
    this.#examples = keepsValues ? new Examples() : undefined
  }

  get bytes (): number {
    return this.#operation.length * WAIT_BYTES
  }

  /** How many operations were taken to be called where the last one like them was. */
  get assumed (): number {
    return this.#assumed
  }

  /** Whether there is nothing like it whose place it could be taken to have. */
  isNew (start: WaitStart): boolean {
    return this.#places.size < MOST_PLACES && !this.#places.has(this.#likeness[this.operationOf(start)] as number)
  }

  /**
   * @param counted Whether it becomes a part of a row with those like it, when it ends.
   * @param placed Whether the record tells where it was called.
   */
  open (record: number, time: number, start: WaitStart, { counted, placed }: { counted: boolean, placed: boolean }): number {
    const operation = this.operationOf(start)
    const begun = { operation, record: this.#placeOf(record, operation, placed), start: time, same: start.values === undefined ? 0 : hash(start.hidden === undefined ? start.values : [start.values, start.hidden]) }
    const wait = counted ? this.#next++ : this.#add(begun)
    if (counted) this.#begun.set(wait, begun)
    this.#examples?.opened(wait, start.values)
    return wait
  }

  /** The same of an operation whose number and place are known. It gets a row of its own. */
  openRow (operation: number, record: number, time: number, values: unknown): number {
    const wait = this.#add({ operation, record, start: time, same: hash(values) })
    this.#examples?.opened(wait, values)
    return wait
  }

  /** It was called somewhere else than it was taken to be. */
  place (wait: number, record: number): void {
    const begun = this.#begun.get(wait)
    if (begun !== undefined) this.#begun.set(wait, { ...begun, record })
    else this.#record.set(this.#rowOf(wait), record)
  }

  close (wait: number, time: number, failed: boolean, rows = NaN, bytes = NaN): void {
    this.#noteExample(wait, time)
    this.#examples?.ended(wait)
    const begun = this.#begun.get(wait)
    if (begun !== undefined) {
      this.#begun.delete(wait)
      this.#count(begun, time, failed, rows, bytes)
    } else if (this.isOpen(wait)) this.#finish(this.#rowOf(wait), time, failed, rows, bytes)
  }

  /** An ended wait lasts longer. Not one that is only counted. */
  extend (wait: number, time: number, bytes: number): void {
    if (wait >= COUNTED) return
    this.#end.set(wait, time)
    this.#bytes.set(wait, this.#bytes.at(wait) + bytes)
  }

  isOpen (wait: number): boolean {
    return this.#begun.has(wait) || this.#outcome.at(this.#rowOf(wait)) === OUTCOME.open
  }

  /** When it ended; `undefined` while it is open. Of those that are only counted, none is known that has ended: the beginning of time, then. */
  endOf (wait: number): number | undefined {
    if (this.isOpen(wait)) return undefined
    const row = this.#rowOf(wait)
    return row < 0 ? 0 : this.#end.at(row)
  }

  discard (wait: number): void {
    this.#examples?.ended(wait)
    if (!this.#begun.delete(wait) && this.isOpen(wait)) this.#outcome.set(this.#rowOf(wait), OUTCOME.discarded)
  }

  /** Gives a wait a row of its own. @returns The row; -1 for one that has ended and was only counted. */
  single (wait: number): number {
    const begun = this.#begun.get(wait)
    if (begun !== undefined) {
      this.#begun.delete(wait)
      this.#singles.set(wait, this.#add(begun))
    }
    return this.#rowOf(wait)
  }

  toColumns (end: number): RecordedWaits {
    const begun = [...this.#begun.values()]
    const unknown = begun.map(() => null)
    for (const wait of this.#examples?.open ?? []) this.#noteExample(wait, end)
    return {
      operations: this.#examples === undefined ? this.#operations : this.#operations.map((operation, id) => this.#withExample(operation, id)),
      operation: [...this.#operation.toArray(), ...begun.map(({ operation }) => operation)],
      record: [...this.#record.toArray(), ...begun.map(({ record }) => record)],
      start: [...this.#start.toArray(), ...begun.map(({ start }) => start)],
      end: [...this.#end.toArray().map(time => Number.isNaN(time) ? end : time), ...begun.map(() => end)],
      outcome: [...this.#outcome.toArray(), ...begun.map(() => OUTCOME.open)],
      // JSON has no NaN.
      rows: [...this.#rows.toArray().map(known), ...unknown],
      bytes: [...this.#bytes.toArray().map(known), ...unknown],
      same: [...this.#same.toArray(), ...begun.map(({ same }) => same)],
      ...this.#counted.size > 0 && { counted: Array.from(this.#counted, ([wait, counts]) => ({ wait, ...counts })) }
    }
  }

  #noteExample (wait: number, time: number): void {
    if (this.#examples === undefined) return
    const row = this.#rowOf(wait)
    const { operation, start } = this.#begun.get(wait) ?? { operation: this.#operation.at(row), start: this.#start.at(row) }
    this.#examples.lasted(wait, operation, time - start)
  }

  #withExample (operation: RecordedOperation, id: number): RecordedOperation {
    const values = this.#examples?.of(id)
    return values === undefined || values === operation.target ? operation : { ...operation, values }
  }

  #placeOf (record: number, operation: number, placed: boolean): number {
    const key = this.#likeness[operation] as number
    if (!placed) {
      this.#assumed++
      return this.#places.get(key) ?? record
    }
    if (this.#places.size < MOST_PLACES || this.#places.has(key)) this.#places.set(key, record)
    return record
  }

  #likenessOf (text: string): number {
    let id = this.#likenessIds.get(text)
    if (id === undefined) this.#likenessIds.set(text, id = this.#likenessIds.size)
    return id
  }

  #rowOf (wait: number): number {
    return wait < COUNTED ? wait : this.#singles.get(wait) ?? -1
  }

  #add ({ operation, record, start, same }: Begun): number {
    this.#operation.push(operation)
    this.#record.push(record)
    this.#end.push(NaN)
    this.#outcome.push(OUTCOME.open)
    this.#rows.push(NaN)
    this.#bytes.push(NaN)
    this.#same.push(same)
    return this.#start.push(start)
  }

  #finish (row: number, end: number, failed: boolean, rows: number, bytes: number): void {
    this.#end.set(row, end)
    this.#outcome.set(row, failed ? OUTCOME.failed : OUTCOME.done)
    this.#rows.set(row, rows)
    this.#bytes.set(row, bytes)
  }

  #count (begun: Begun, end: number, failed: boolean, rows: number, bytes: number): void {
    const { operation, record, start, same } = begun
    const key = `${operation} ${record} ${failed ? 1 : 0}`
    const row = this.#latest.get(key)
    if (row === undefined || start - this.#end.at(row) > GAP * this.#slice || end - this.#start.at(row) > this.#slice) {
      const added = this.#add(begun)
      this.#finish(added, end, failed, rows, bytes)
      this.#latest.set(key, added)
      if (++this.#slices % MOST_ROWS === 0) this.#slice *= 2
      return
    }
    const counts = this.#counted.get(row) ?? { count: 1, time: this.#end.at(row) - this.#start.at(row), longest: this.#end.at(row) - this.#start.at(row) }
    counts.count++
    counts.time += end - start
    counts.longest = Math.max(counts.longest, end - start)
    this.#counted.set(row, counts)
    this.#start.set(row, Math.min(start, this.#start.at(row)))
    this.#finish(row, Math.max(end, this.#end.at(row)), failed, rows + this.#rows.at(row), bytes + this.#bytes.at(row))
    // What asked for something else is not asked again.
    if (same !== this.#same.at(row)) this.#same.set(row, 0)
  }

  /** The number of what an operation does. */
  operationOf ({ kind, target = '', statement = '', driver = '', sync = false, parameters = false, connections: most }: WaitStart): number {
    // JSON has no infinity.
    const connections = Number.isFinite(most) ? most : undefined
    // Loops ask for the same again.
    const last = this.#operations[this.#last]
    if (last !== undefined && last.statement === statement && last.target === target && last.kind === kind && last.driver === driver && last.sync === sync &&
      (last.parameters ?? false) === parameters && last.connections === connections) {
      return this.#last
    }
    const key = `${kind}\n${driver}\n${target}\n${sync ? 1 : 0}${parameters ? 1 : 0}${connections ?? ''}\n${statement}`
    let id = this.#operationIds.get(key)
    if (id === undefined && this.#operations.length >= MOST_OPERATIONS && statement !== OTHERS) return this.operationOf({ kind, driver, sync, statement: OTHERS })
    if (id === undefined) {
      id = this.#operations.push({ kind, target, statement, driver, sync, ...parameters && { parameters }, ...connections !== undefined && { connections } }) - 1
      this.#operationIds.set(key, id)
      this.#likeness.push(this.#likenessOf(`${kind} ${statement}`))
    }
    this.#last = id
    return id
  }
}

function known (number: number): number | null {
  return Number.isNaN(number) ? null : number
}

/** So many characters of an operation's values are looked at, and each part of a list or an object counts as some: a bulk insert has many, and there may be cycles. */
const MOST_CHARACTERS = 16_384
const PART = 8

/** How many more may be looked at; below 0 some were not. */
let left = 0

/** A hash (FNV-1a) of what the values look like. Only equality counts: the values themselves are not kept. 0 says that nothing is known of it. */
function hash (values: unknown): number {
  left = MOST_CHARACTERS
  try {
    const result = hashValue(0x811c9dc5, values)
    return left < 0 ? 0 : result | 1
  } catch {
    // A getter of the app's own has thrown; whether its driver will call it is the app's affair.
    return 0
  }
}

function hashValue (seed: number, value: unknown): number {
  switch (typeof value) {
    case 'string': return hashText(seed, value)
    case 'number': return (value | 0) === value ? Math.imul(seed ^ value, 0x01000193) : hashText(seed ^ 1, String(value))
    case 'object': return value === null ? Math.imul(seed ^ 2, 0x01000193) : hashObject(seed, value)
    default: return hashText(seed ^ 3, String(value))
  }
}

function hashObject (seed: number, value: object): number {
  if (ArrayBuffer.isView(value)) return hashBytes(seed, new Uint8Array(value.buffer, value.byteOffset, value.byteLength))
  if (value instanceof Date) return hashText(seed, String(value.getTime()))
  const keys = Array.isArray(value) ? undefined : Object.keys(value)
  const count = keys?.length ?? (value as unknown[]).length
  // What keeps its values elsewhere: a Map, a URL, private fields.
  if (keys?.length === 0 && !isPlain(value)) left = -1
  left -= count * PART
  if (left < 0) return seed
  let result = seed
  for (let at = 0; at < count; at++) {
    const key = keys?.[at]
    if (key !== undefined) result = hashText(result, key)
    result = hashValue(result, key === undefined ? (value as unknown[])[at] : (value as Record<string, unknown>)[key])
  }
  return Math.imul(result ^ count, 0x01000193)
}

function isPlain (value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || prototype === Object.prototype
}

function hashBytes (seed: number, bytes: Uint8Array): number {
  left -= bytes.length
  if (left < 0) return seed
  let result = seed ^ 4
  for (let at = 0; at < bytes.length; at++) result = Math.imul(result ^ (bytes[at] as number), 0x01000193)
  return Math.imul(result ^ bytes.length, 0x01000193)
}

function hashText (seed: number, text: string): number {
  left -= text.length
  if (left < 0) return seed
  let result = seed
  for (let at = 0; at < text.length; at++) result = Math.imul(result ^ text.charCodeAt(at), 0x01000193)
  return Math.imul(result ^ text.length, 0x01000193)
}

import type { LockKind, WaitKind } from '@geordi/profile'
import { WaitsError } from './errors.ts'
import { CUT, MARK, RECORDING_VERSION, type RecordedOperation, type WaitRecording } from './recording.ts'

const KINDS: Readonly<Record<WaitKind, true>> = {
  sql: true, cache: true, document: true, http: true, file: true, dns: true, connect: true, network: true, socket: true, process: true, threadpool: true, timer: true, lock: true, pool: true, worker: true
}

const LOCK_KINDS: Readonly<Record<LockKind, true>> = { row: true, table: true, advisory: true, other: true }

/**
 * Takes a recording from JSON that may come from anywhere, such as a file that somebody hands over: nothing in it refers to what is not
 * there, so that whoever works with it needs no doubts.
 *
 * @throws WaitsError `GEORDI_WAITS_RECORDING_INVALID`, which says what is wrong.
 */
export function readRecording (value: unknown): WaitRecording {
  if (!isObject(value)) throw invalid('it is no object')
  if (value['version'] !== RECORDING_VERSION) throw invalid(`its version is ${JSON.stringify(value['version'])}, and this geordi knows version ${RECORDING_VERSION}; update it`)
  const recording = value as unknown as WaitRecording
  check(isObject(recording.recorder) && isText(recording.recorder.folder) && isText(recording.recorder.boundary) &&
    (recording.recorder.users === undefined || isList(recording.recorder.users, isText)), 'recorder')
  check(isTime(recording.start) && isTime(recording.end), 'start or end')

  const { functions, places, stacks, records, markers, waits, cost } = recording
  check(isList(functions, entry => Array.isArray(entry) && isText(entry[0]) && isText(entry[1]) && isTime(entry[2]) && isTime(entry[3])), 'functions')
  check(isList(places, entry => Array.isArray(entry) && isIndex(entry[0], functions.length) && isTime(entry[1]) && isTime(entry[2])), 'places')
  check(isList(stacks, stack => isList(stack, place => place === CUT || isIndex(place, places.length))), 'stacks')

  const count = isObject(records) && Array.isArray(records.parent) ? records.parent.length : 0
  check(isObject(records) && isList(records.parent, (parent, record) => parent === -1 || isIndex(parent, Math.max(record as number, 1))) &&
    isColumn(records.stack, count, stack => stack === -1 || isIndex(stack, stacks.length)) && isColumn(records.flags, count, Number.isSafeInteger), 'records')
  check(isObject(markers) && isList(markers.time, isTime) &&
    isColumn(markers.record, markers.time.length, record => record === MARK.recorder || isIndex(record, count)), 'markers')

  const { route } = recording
  check(route === undefined || (isObject(route) && isText(route.url) && isIndex(route.registered, count) &&
    (route.handler === undefined || isIndex(route.handler, count))), 'route')

  check(isObject(waits) && isList(waits.operations, isOperation), 'operations')
  const started = Array.isArray(waits.operation) ? waits.operation.length : 0
  check(isList(waits.operation, operation => isIndex(operation, waits.operations.length)) &&
    isColumn(waits.record, started, record => isIndex(record, count)) &&
    isColumn(waits.start, started, isTime) && isColumn(waits.end, started, (end, wait) => isTime(end) && (end as number) >= (waits.start[wait] as number)) &&
    isColumn(waits.outcome, started, outcome => isIndex(outcome, 4)) &&
    isColumn(waits.rows, started, isCount) && isColumn(waits.bytes, started, isCount) &&
    isColumn(waits.same, started, Number.isSafeInteger), 'waits')
  check(waits.counted === undefined || isList(waits.counted, row => isObject(row) && isIndex(row['wait'], started) && isTime(row['count']) && isTime(row['time']) &&
    isTime(row['longest'])), 'counted waits')
  const { locks = [], silent = [], blocks = [] } = recording
  check(isList(locks, lock => isObject(lock) && isIndex(lock['wait'], started) && isLockKind(lock['kind']) && isTime(lock['time']) &&
    (lock['most'] === undefined || isTime(lock['most'])) && isText(lock['holder'])) && isList(silent, isText), 'locks')
  check(isList(blocks, block => isObject(block) && isTime(block['start']) && isTime(block['end']) && (block['start'] as number) <= (block['end'] as number)), 'blocks')
  check(isObject(cost) && isTime(cost.time) && isTime(cost.captures) && (cost.assumed === undefined || isTime(cost.assumed)) &&
    (cost.simplerSince === undefined || isTime(cost.simplerSince)) && (cost.countsSince === undefined || isTime(cost.countsSince)), 'cost')
  return recording
}

function isLockKind (value: unknown): boolean {
  return isText(value) && Object.hasOwn(LOCK_KINDS, value)
}

function isOperation (value: unknown): value is RecordedOperation {
  if (!isObject(value)) return false
  const { kind, target, statement, driver, sync, connections, values } = value as Partial<RecordedOperation>
  return isText(kind) && Object.hasOwn(KINDS, kind) && isText(target) && isText(statement) && isText(driver) && typeof sync === 'boolean' &&
    (connections === undefined || isTime(connections)) && (values === undefined || isText(values))
}

function isObject (value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isList (value: unknown, holds: (entry: unknown, index: number) => boolean): boolean {
  return Array.isArray(value) && value.every(holds)
}

function isColumn (value: unknown, length: number, holds: (entry: unknown, index: number) => boolean): boolean {
  return isList(value, holds) && (value as unknown[]).length === length
}

function isIndex (value: unknown, length: number): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) < length
}

function isTime (value: unknown): boolean {
  return typeof value === 'number' && Number.isFinite(value)
}

function isCount (value: unknown): boolean {
  return value === null || isTime(value)
}

function isText (value: unknown): value is string {
  return typeof value === 'string'
}

function check (holds: boolean, part: string): void {
  if (!holds) throw invalid(`its ${part} ${part.endsWith('s') ? 'are' : 'is'} not as recorded`)
}

function invalid (why: string): WaitsError {
  return new WaitsError('GEORDI_WAITS_RECORDING_INVALID', `The recording of waits can't be read: ${why}.`)
}

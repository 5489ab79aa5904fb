import { createHash } from 'node:crypto'
import type { RawReport, RawRequest, RawUnassigned, RawWait } from '../describe.ts'
import type { Report, RequestState, UnassignedWait, Wait } from '../report.ts'
import { megabytes, placeOf, seconds } from '../text.ts'
import { topFrame, type FrameReader } from './frames.ts'

const LONGEST_STATEMENT = 120

/** Makes sense of a raw report. */
export function finishReport ({ nobodys, unassigned, ...raw }: RawReport, frames: FrameReader): Report {
  const stack = frames.read(raw.stack)
  const requests = raw.requests.map(request => finishRequest(request, frames))
  const [first] = requests
  const top = topFrame(stack)
  const what = first === undefined ? 'no request' : nameOf(first)
  const place = top === undefined ? '' : `${top.function} ${top.file ?? ''}`
  const cause = raw.kind === 'stopped' ? String(raw.cause) : ''
  const rest = { ...raw, requests, behind: raw.behind.map(request => finishRequest(request, frames)), ...finishUnassigned(unassigned, frames), stack }
  return {
    type: 'report',
    fingerprint: createHash('sha256').update([raw.kind === 'stopped' || raw.kind === 'memory' ? `${raw.kind} ${cause}` : what, place].join('\n')).digest('hex').slice(0, 12),
    summary: summarise(rest, nobodys === true),
    ...rest
  }
}

/** What reports are grouped by, with the method. */
export function nameOf ({ method, route, url }: RequestState): string {
  return method === '' ? url : `${method} ${route ?? 'without a route'}`
}

function finishRequest (raw: RawRequest, frames: FrameReader): RequestState {
  const waits = (list: readonly RawWait[]): Wait[] => list.map(wait => ({ ...wait, stack: frames.read(wait.stack) }))
  return { ...raw, pending: waits(raw.pending), finished: waits(raw.finished) }
}

function finishUnassigned (unassigned: RawReport['unassigned'], frames: FrameReader): Pick<Report, 'unassigned'> {
  if (unassigned === undefined) return {}
  const finish = ({ lastSeen, ...wait }: RawUnassigned): UnassignedWait => {
    const [frame] = lastSeen === undefined ? [] : frames.read([lastSeen])
    return { ...wait, ...frame !== undefined && { lastSeen: frame } }
  }
  return { unassigned: { ...unassigned, waits: unassigned.waits.map(finish) } }
}

function summarise ({ kind, cause, requests, behind, more, unassigned, stack, call, note, process }: Omit<Report, 'type' | 'fingerprint' | 'summary'>, isNobodys: boolean): string {
  const [first] = requests
  const top = topFrame(stack) ?? stack[0]
  const place = top === undefined ? '' : ` in ${placeOf(top)}`
  const asked = first === undefined ? '' : `${first.method} ${first.url}`.trim()
  const native = call === undefined ? '' : `, calling ${call.name}${call.target === '' ? '' : ` ${call.target}`}`
  const [wait] = first?.pending ?? []
  const awaited = wait === undefined ? '' : `, waiting ${told(wait)}`
  if (kind === 'stopped' || kind === 'memory') {
    const what = kind === 'memory' ? fullHeap(process) : cause?.startsWith('exit') === true ? `The process ends (${cause})` : `The process got ${cause}`
    const open = `${what} with ${process.open} ${process.open === 1 ? 'request' : 'requests'} open`
    // Nobody's code is not to be laid at the oldest's door; Node's own says nothing.
    if (isNobodys && topFrame(stack) !== undefined) return `${open}${place}${native}`
    const one = first === undefined ? '' : `; ${process.open === 1 ? '' : 'among them '}${asked}, running for ${seconds(first.duration)}${topFrame(stack) === undefined ? awaited : place}${native}`
    return `${open}${one}`
  }
  if (kind === 'blocked') {
    const waiting = behind.length + more
    const others = waiting === 0 ? '' : `; ${waiting} ${waiting === 1 ? 'request waits' : 'requests wait'} behind it`
    const who = first === undefined ? 'The main thread is blocked' : `${asked} blocks the main thread, running for ${seconds(first.duration)}`
    return `${who}${place}${native}${others}`
  }
  const running = `${asked} has been running for ${seconds(first?.duration ?? 0)}`
  const [perhaps] = first?.phase === 'handler' || first?.phase === 'hooks' ? unassigned?.waits ?? [] : []
  if (wait === undefined && perhaps !== undefined) return `${running}, perhaps waiting ${told(perhaps)}${perhaps.lastSeen === undefined ? '' : `, last seen in ${placeOf(perhaps.lastSeen)}`}`
  if (wait === undefined) return `${running}. ${note ?? ''}`.trim()
  return `${running}${awaited}${place}`
}

function told ({ kind, statement, target, duration }: Pick<Wait, 'kind' | 'statement' | 'target' | 'duration'>): string {
  return `${seconds(duration)} for ${[kind, cut(statement), target].filter(part => part !== '').join(' ')}`
}

/** A statement of thirty lines would hide what follows it. */
function cut (statement: string): string {
  return statement.length > LONGEST_STATEMENT ? `${statement.slice(0, LONGEST_STATEMENT)}…` : statement
}

function fullHeap ({ memory: { heapUsed = 0, heapLimit = 0 } }: Report['process']): string {
  return `The heap is nearly full (${megabytes(heapUsed)} of at most ${megabytes(heapLimit)})`
}

import { stackHere } from '@geordi/waits/live'
import { newReportId, type Describer, type RawReport } from './describe.ts'
import { FRAME_PREFIX } from './frames.ts'
import { isNearlyFull } from './heap.ts'
import type { Monitor } from './monitor.ts'
import type { OpenRequest } from './open-request.ts'
import { nameRequests, requestOfFrame, type Requests } from './requests.ts'
import { INTERRUPT_SCRIPT, SNAPSHOTS, type SnapshotAnswer, type SnapshotQuestion } from './interrupt.ts'

/** So many frames are told: what called the handler is below them. */
const DEPTH = 200
/** So many are looked through for the one that tells whose they are: a recursion may be as deep as the thread's stack allows. */
const DEEPEST = 20_000
const MOST_BEHIND = 20
const MOST_STOPPED = 50
const NOBODYS_CODE = 'The code that runs belongs to no request that its stack tells of: it was started by a timer, an event or a callback.'

export interface SnapshotParts {
  readonly requests: Requests
  readonly monitor: Monitor
  readonly describer: Describer
  /** The request in whose name a driver's callback runs. */
  readonly current: () => OpenRequest | undefined
}

/** Lets the watcher ask, by interrupting whatever runs, under the given name. @returns What takes that back. */
export function answerSnapshots (instance: string, parts: SnapshotParts): () => void {
  const table = globals()[SNAPSHOTS] ??= new Map()
  table.set(instance, question => JSON.stringify(takeSnapshot(question, parts)))
  return () => table.delete(instance)
}

/** What can be told of a process that is being ended, or soon will be. */
export function stoppedReport (what: Pick<RawReport, 'cause'> & Partial<RawReport>, { requests, describer }: Pick<SnapshotParts, 'requests' | 'describer'>, owner?: OpenRequest): RawReport {
  const now = performance.now()
  const all = requests.all()
  const shown = owner === undefined ? all : [owner, ...all.filter(open => open !== owner)]
  return {
    kind: 'stopped',
    id: newReportId(),
    time: new Date().toISOString(),
    requests: shown.slice(0, MOST_STOPPED).map(open => describer.request(open, now)),
    behind: [],
    more: Math.max(0, all.length - MOST_STOPPED),
    ...all.length === 0 ? {} : describer.unassigned(all[0]!.start, now),
    stack: [],
    ...what,
    ...what.stack === undefined || what.stack.length === 0 || owner !== undefined ? {} : { nobodys: true, note: NOBODYS_CODE },
    process: describer.process(all[0]?.start ?? now, now, all.length)
  }
}

/** Runs in the middle of anything, so it changes nothing but dogslow's own, and runs no regular expression: see `profile/hide.ts`. */
function takeSnapshot ({ purpose, cause, deadline, report }: SnapshotQuestion, parts: SnapshotParts): SnapshotAnswer {
  const { sites, owner } = takeStack(parts)
  const now = performance.now()
  if (now > deadline) return { type: 'late', stack: sites }
  parts.requests.look(true)
  if (parts.requests.count === 0) return { type: 'idle' }
  if (purpose === 'stopped') return { type: 'report', report: stoppedReport({ cause, stack: sites, id: report }, parts, owner) }
  if (purpose === 'memory') {
    if (!isNearlyFull()) return { type: 'idle' }
    return { type: 'report', report: stoppedReport({ kind: 'memory', stack: sites, id: report }, parts, owner) }
  }
  if (sites.length === 0) return { type: 'idle' }
  const due = parts.monitor.take(now, true)
  // Those that wait behind the same still are no news.
  const isNews = due.some(open => open === owner || owner === undefined || open.watch.behind !== owner)
  for (const open of due) if (open !== owner) parts.monitor.putOff(open, report, owner, now)
  if (!isNews) return { type: 'idle' }
  if (owner !== undefined) {
    parts.monitor.pass(owner, now)
    parts.monitor.note(owner, report)
  }
  const others = parts.requests.all().filter(open => open !== owner)
  const { describer, requests } = parts
  return {
    type: 'report',
    report: {
      kind: 'blocked',
      id: report,
      time: new Date().toISOString(),
      requests: owner === undefined ? [] : [describer.request(owner, now)],
      behind: others.slice(0, MOST_BEHIND).map(open => describer.request(open, now, false)),
      more: Math.max(0, others.length - MOST_BEHIND),
      stack: sites,
      ...owner === undefined ? { note: NOBODYS_CODE } : {},
      process: describer.process(Math.min(owner?.start ?? now, due[0]!.start), now, requests.count)
    }
  }
}

function takeStack ({ requests, current }: SnapshotParts): { sites: string[], owner: OpenRequest | undefined } {
  nameRequests(true)
  let sites = stackHere(DEPTH)
  if (sites.length === DEPTH && typeof sites !== 'string' && !sites.some(isOwners)) sites = stackHere(DEEPEST)
  // An app that has frozen `Error` leaves us a text.
  if (typeof sites === 'string') return { sites: sites.split('\n').slice(1).map(line => line.trim().slice('at '.length)), owner: current() }
  const from = sites.findLastIndex(site => site.getScriptNameOrSourceURL() === INTERRUPT_SCRIPT) + 1
  const interrupted = sites.slice(from)
  const frame = interrupted.findIndex(isOwners)
  if (frame < 0) return { sites: interrupted.slice(0, DEPTH).map(String), owner: current() }
  const owner = requestOfFrame(interrupted[frame]!.getFunctionName()!)
  // Another app in this process has a watcher of its own.
  return { sites: interrupted.slice(0, Math.min(frame, DEPTH)).map(String), owner: owner?.table === requests ? owner : undefined }
}

function isOwners (site: NodeJS.CallSite): boolean {
  return site.getFunctionName()?.startsWith(FRAME_PREFIX) === true
}

function globals (): { [SNAPSHOTS]?: Map<string, (question: SnapshotQuestion) => string> } {
  return globalThis as object
}

import type { Frame } from '@geordi/profile'
import { formatTime, formatTimes } from '../numbers.ts'
import type { Look } from '../waits/look.ts'
import type { Tally } from '../waits/tallies.ts'
import { byStatement } from './by-statement.ts'
import { below, isLoader, placesOf } from './cpu.ts'
import type { Finding } from './finding.ts'
import { callers } from './places.ts'
import { SYNC_IO } from './thresholds.ts'
import { isWorthTelling } from './worth.ts'

const MODULES = new Set(['node:fs', 'node:child_process', 'node:zlib', 'node:internal/fs/utils', 'node:internal/child_process', 'node:internal/crypto/pbkdf2', 'node:internal/crypto/scrypt'])

const ADVICE = 'Use the promises of node:fs and the like instead, so that the process can answer others meanwhile; or do it once, when the app starts.'

/** Files, processes and the like that block the thread. Where waits were recorded these know it exactly, else the profile's frames do. */
export function findSyncIo (look: Look): Finding[] {
  return look.recorded === undefined ? fromFrames(look) : fromWaits(look)
}

function fromWaits (look: Look): Finding[] {
  const { profile, recorded, wall } = look
  if (recorded === undefined) return []
  const tallies = recorded.tallies.filter(({ kind, sync }) => sync && kind !== 'sql' && kind !== 'socket').sort((a, b) => b.total - a.total)
  const time = tallies.reduce((sum, { total }) => sum + total, 0)
  if (!isWorthTelling(look, time, SYNC_IO)) return []
  const count = tallies.reduce((sum, tally) => sum + tally.count, 0)
  const statements = byStatement(tallies)
  const worst = tallies.find(({ statement }) => statement === statements[0]?.statement)
  if (worst === undefined) return []
  const kinds = statements.map(({ statement, count, total }) => `${statement} ${formatTimes(count)}, ${formatTime(total)}`)
  return [{
    cause: 'sync-io',
    title: `${worst.kind === 'threadpool' ? 'Work for the thread pool' : 'Input and output'} that blocks the thread: ${formatTime(time)}`,
    subject: `${worst.statement} ${worst.target}`.trim(),
    evidence: [kinds.join('; ')],
    numbers: { count, total: time, max: Math.max(...tallies.map(({ max }) => max)) },
    places: callers(profile, recorded, worst.site),
    time,
    share: time / wall,
    advice: adviceOf(worst)
  }]
}

function adviceOf ({ kind, statement }: Tally): string {
  const name = statement.replace(/Sync$/, '')
  switch (kind) {
    case 'threadpool': return `Call ${name} instead, which another thread does, so that this one can answer others meanwhile.`
    case 'process': return `Call ${name} instead and await its end, so that the app can answer others meanwhile; or do without another process.`
    default: return ADVICE
  }
}

function fromFrames (look: Look): Finding[] {
  const isSync = ({ name, url }: Frame) => MODULES.has(url) && /Sync$/.test(name)
  const { time, callers, entries } = below(look, isSync, isLoader)
  if (!isWorthTelling(look, time, SYNC_IO)) return []
  const names = entries.slice(0, 3).map(([frame, time]) => `${look.profile.frames[frame]?.name} ${formatTime(time)}`)
  return [{
    cause: 'sync-io',
    title: `Input and output that blocks the thread: ${formatTime(time)}`,
    subject: '',
    evidence: [names.join('; ')],
    numbers: { total: time },
    places: placesOf(look, callers),
    time,
    share: time / look.wall,
    advice: ADVICE
  }]
}

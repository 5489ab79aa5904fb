import { classify, cutStacks, type Frame, type Profile, type WaitCounts, type WaitOperation, type Waits, type WaitsRecording } from '@geordi/profile'
import { FLAG, OUTCOME, type CountedWaits, type RecordedOperation, type RecordingCost, type WaitRecording } from '@geordi/waits/recording'
import { FrameTable } from './frame-table.ts'
import type { OpenWait } from './open-waits.ts'
import { Operations } from './operations.ts'
import { Paths } from './paths.ts'
import { Placing } from './placing.ts'
import { fillPools } from './pools.ts'
import { Roles } from './roles.ts'
import { shareTime } from './share-time.ts'
import { cutTimeline, type Window } from './timeline.ts'
import { TreeBuilder } from './tree-builder.ts'

/** V8's default, for profiles that don't tell how often they looked. */
const DEFAULT_INTERVAL = 1000

/** Node's own clients of HTTP. */
const HTTP = /^node:(?:_http_|internal\/(?:http2|deps\/undici))/
/** Packages whose waits are recorded as what they are, or that have timers for nothing but limits. */
const KEEPS_HOUSE = new Set(['async-mutex', 'avvio', 'bullmq', 'fastify', 'generic-pool', 'knex', 'piscina', 'tarn', 'undici'])
const FASTIFY = /\/node_modules\/fastify\//
/** A driver may be several packages: a wait is its caller's, not the pool's that all queries go through. */
const DRIVERS = /\/node_modules\/(pg|pg-pool|mysql2|ioredis|redis|@redis\/client|mongodb)\//
/** Which of them tells what another one asks. */
const TOLD_BY: Readonly<Record<string, string>> = { pg: 'pg-pool', redis: '@redis/client' }

/**
 * Joins a CPU profile with the waits that were recorded beside it, into one profile of the wall time:
 *
 * - what ran after an `await` or in a callback is under the functions that started it;
 * - each wait is a frame of its own, `(wait) sql select …`, under the function that started it, and `Profile.waits` tells which frames these are;
 * - of each moment the time goes to what ran then, else in equal parts to what was waited for, else to `(idle)`; the sum of the samples'
 *   durations is the profile's time as before. Of more than a thousand different waits at a time some have the others' parts, in turn;
 * - what nobody is known to have called is under `(caller unknown)`, the recorder's own time is `(recording)`.
 *
 * The samples of the result are stretches of time, not observations: how many the times stand on is in `Waits.recording`.
 *
 * @param profile As V8 recorded it, cut to the run.
 * @param recording As `recordWaits` of @geordi/waits gave it, in the same process over the same time.
 * @param window When the run began and ended, where that is known: V8's last sample may have been taken before the end.
 */
export function mergeWaits (profile: Profile, recording: WaitRecording, window: Window = windowOf(profile)): Profile {
  const table = new FrameTable(profile.frames)
  const tree = new TreeBuilder(table.marker('(root)'))
  const frameOf = recording.functions.map(fn => table.ofFunction(fn))
  const roles = new Roles(table.frames, recording.recorder)
  const paths = new Paths(recording, tree, frameOf, roles)
  const unfollowedSince = recording.cost.simplerSince ?? Infinity
  const places = { recorder: tree.child(0, table.marker('(recording)')), unknown: tree.child(0, table.marker('(caller unknown)')), unfollowedSince }
  const idle = tree.child(0, table.marker('(idle)'))

  const operations = new Operations(recording.waits.operations, table.frames)
  const started = placeWaits(recording, operations, paths, tree, table.frames, roles, places.unknown).sort((a, b) => a.start - b.start)
  const open = started.filter((wait): wait is OpenWait & Started => wait.node !== undefined)
  const pieces = cutTimeline(window, recording, open)
  const placing = new Placing(profile, tree, roles, paths)
  const pools = fillPools(profile, pieces, paths, placing, places, profile.run.profiler?.interval ?? DEFAULT_INTERVAL)
  const samples = shareTime(pieces, pools, idle)
  return { ...profile, startTime: window.start, frames: table.frames, tree: tree.toTree(), samples, waits: toWaits(recording, operations.all, paths, started, observed(profile), routeOf(recording, paths, table.frames)) }
}

function windowOf ({ startTime, samples }: Profile): Window {
  return { start: startTime, end: samples.duration.reduce((sum, gap) => sum + gap, startTime) }
}

interface Started extends Omit<OpenWait, 'node'> {
  /** Its index in the recording. */
  readonly index: number
  readonly operation: number
  readonly site: number
  /** Undefined for what blocked the thread: its time is the caller's own. */
  readonly node: number | undefined
}

/**
 * The waits that are some, each with where it was started: below neither the driver's own functions nor Node's.
 *
 * @param unknown The node for those of which that isn't known.
 */
function placeWaits (recording: WaitRecording, operations: Operations, paths: Paths, tree: TreeBuilder, frames: readonly Frame[],
  roles: Roles, unknown: number): Started[] {
  const { waits, cost: { simplerSince = Infinity } } = recording
  const isRuns = recordsOfRun(recording.records)
  const telling = new Set(waits.operations.map(({ driver }) => driver))
  const started: Started[] = []
  waits.operation.forEach((recorded, index) => {
    const outcome = waits.outcome[index]
    const { kind, driver } = waits.operations[recorded] as RecordedOperation
    if (outcome === OUTCOME.discarded) return
    const record = waits.record[index] as number
    let node = paths.node[record] as number
    let site = paths.site[record] as number
    const url = (of: number) => frames[tree.frame(of)]?.url ?? ''
    const isOwn = (url: string) => url.startsWith('node:') || (driver !== '' && (url.includes(`/node_modules/${driver}/`) || DRIVERS.test(url)))
    let isLoading = false
    let isDriver = false
    let isTold = false
    let isHttp = false
    while (node > 0 && isOwn(url(node))) {
      isLoading ||= url(node).startsWith('node:internal/modules/')
      const name = DRIVERS.exec(url(node))?.[1]
      isDriver ||= name !== undefined
      isTold ||= name !== undefined && (telling.has(name) || telling.has(TOLD_BY[name] ?? ''))
      isHttp ||= HTTP.test(url(node))
      node = tree.parent(node)
      site = paths.sites[site]?.parent ?? -1
    }
    // What those do that use the recorder is nobody's wait, though they interrupt the application for it.
    if (roles.of(tree.frame(node)) === 'recorder') return
    const packageName = /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(url(node))?.[1]
    // What a package writes is a part of what it does.
    if (kind === 'socket' && packageName !== undefined) return
    // Its timers are limits and housekeeping where it is known what is waited for, and where they don't come to their end; of others some hold the run up.
    if (kind === 'timer' && (isDriver || DRIVERS.test(url(node)) || (packageName !== undefined && (KEEPS_HOUSE.has(packageName) || outcome === OUTCOME.open)))) return
    if ((kind === 'socket' || kind === 'network') && node === 0) return
    // What those drivers send that are known is a part of their own waits; older versions, as redis 3 and mongodb 3, have none.
    if (kind === 'network' && (isTold || isHttp || url(node).includes('/node_modules/undici/'))) return
    // What a driver computes to log in is a part of connecting.
    if (kind === 'threadpool' && isDriver) return
    const operation = kind === 'timer' && packageName !== undefined ? operations.of(recorded, packageName) : recorded
    const { frame, sync, aside } = operations.all[operation] as WaitOperation
    // Reading a module's files is a part of loading it.
    if (sync && isLoading) return
    const start = waits.start[index] as number
    started.push({
      index,
      operation,
      record,
      site,
      node: sync ? undefined : tree.child(node > 0 ? node : unknown, frame),
      start,
      end: waits.end[index] as number,
      isCertain: node > 0 && outcome !== OUTCOME.open && aside !== true && (start >= simplerSince || isRuns[record] === 1)
    })
  })
  return started
}

/** For each record: 1 where what the run began with has led to it; for all, where that isn't known. Loops and timers from before have others. */
function recordsOfRun ({ parent, flags }: WaitRecording['records']): Uint8Array {
  const isRuns = new Uint8Array(parent.length)
  for (let record = 1; record < parent.length; record++) {
    isRuns[record] = ((flags[record] as number) & FLAG.root) !== 0 ? 1 : isRuns[parent[record] as number] as number
  }
  return isRuns.includes(1) ? isRuns : isRuns.fill(1)
}

/** What the result's samples don't tell any more of V8's. */
function observed (profile: Profile): Pick<WaitsRecording, 'samples' | 'cut'> {
  const { frames, run, tree, samples } = profile
  const idle = frames.map(frame => classify(frame, run) === 'idle')
  const busy = samples.node.reduce((count, node) => count + (idle[tree.frame[node] as number] ? 0 : 1), 0)
  return { samples: { all: samples.node.length, busy }, cut: cutStacks(profile) }
}

function toWaits ({ waits, locks, silent, blocks, cost }: WaitRecording, operations: readonly WaitOperation[], { sites }: Paths, started: readonly Started[],
  observed: Pick<WaitsRecording, 'samples' | 'cut'>, route: Waits['route']): Waits {
  const places = new Map(started.map(({ index }, at) => [index, at]))
  const column = (values: ReadonlyArray<number | null>) => Float64Array.from(started, ({ index }) => values[index] ?? NaN)
  return {
    operations,
    sites,
    operation: Int32Array.from(started, ({ operation }) => operation),
    site: Int32Array.from(started, ({ site }) => site),
    start: column(waits.start),
    end: column(waits.end),
    outcome: Uint8Array.from(started, ({ index }) => waits.outcome[index] as number),
    rows: column(waits.rows),
    bytes: column(waits.bytes),
    same: Int32Array.from(started, ({ index }) => waits.same[index] as number),
    ...waits.counted === undefined ? {} : { counts: countsOf(waits.counted, started) },
    ...locks === undefined ? {} : { locks: locks.flatMap(lock => places.has(lock.wait) ? [{ ...lock, wait: places.get(lock.wait) as number }] : []) },
    ...silent === undefined ? {} : { silent },
    ...blocks === undefined ? {} : { blocks },
    ...route === undefined ? {} : { route },
    recording: { cost: cost.time, ...observed, ...pick(cost, 'simplerSince'), ...pick(cost, 'assumed'), ...pick(cost, 'countsSince') }
  }
}

/** The handler is the outermost of its stack. Whoever called Fastify to register the route; a package that does so for the application (a framework) is no place to look at. */
function routeOf ({ route }: WaitRecording, { site: siteOf, sites }: Paths, frames: readonly Frame[]): Waits['route'] {
  if (route === undefined) return undefined
  const url = (site: number) => frames[sites[site]?.frame ?? -1]?.url ?? ''
  let handler = route.handler === undefined ? -1 : siteOf[route.handler] as number
  while ((sites[handler]?.parent ?? -1) >= 0) handler = sites[handler]?.parent as number
  let site = siteOf[route.registered] as number
  while (site >= 0 && FASTIFY.test(url(site))) site = sites[site]?.parent ?? -1
  return { url: route.url, handler: sites[handler]?.frame ?? -1, site: url(site).includes('/node_modules/') ? -1 : site }
}

function countsOf (counted: readonly CountedWaits[], started: readonly Started[]): WaitCounts {
  const rows = new Map(counted.map(row => [row.wait, row]))
  const column = (of: 'time' | 'longest') => Float64Array.from(started, ({ index, start, end }) => rows.get(index)?.[of] ?? end - start)
  return { count: Int32Array.from(started, ({ index }) => rows.get(index)?.count ?? 1), time: column('time'), longest: column('longest') }
}

/** A key that may be missing, alone. */
function pick<Key extends keyof RecordingCost> (cost: RecordingCost, key: Key): Pick<RecordingCost, Key> | undefined {
  return cost[key] === undefined ? undefined : { [key]: cost[key] } as Pick<RecordingCost, Key>
}

import { labelFunction, type Frame, type FunctionLabel, type Profile, type WaitKind, type Waits } from '@geordi/profile'
import { waitShapes, type WaitShape } from './wait-shapes.ts'

/** What a frame that is waited for stands for. */
export interface WaitFrame {
  readonly kind: WaitKind
  /** Host, database or file; `''` where there is none. */
  readonly target: string
  /** What was asked for; `''` where the frame stands for several operations that have no more than kind and target in common. */
  readonly statement: string
  /** How many operations the frame stands for. */
  readonly operations: number
  /** How often it was waited for. */
  readonly count: number
}

/** What to call a frame; see {@link labelFrame}. */
export interface FrameLabel extends FunctionLabel {
  /** Left out for what is no wait. */
  readonly wait?: WaitFrame
}

const KIND_NAMES: Readonly<Record<WaitKind, string>> = {
  sql: 'SQL',
  cache: 'cache',
  document: 'document store',
  http: 'HTTP',
  file: 'file',
  dns: 'DNS',
  connect: 'connecting',
  network: 'network',
  socket: 'socket',
  process: 'child process',
  threadpool: 'thread pool',
  timer: 'timer',
  lock: 'lock',
  pool: 'pool',
  worker: 'worker thread'
}

/** What a kind of wait is called wherever it is shown: `SQL`, `child process`. */
export function waitKindName (kind: WaitKind): string {
  return KIND_NAMES[kind]
}

/** Where the call tree has this name, the profiler doesn't know who called what is below. */
const UNKNOWN_CALLER = '(caller unknown)'

const known = new WeakMap<Waits, ReadonlyMap<number, WaitFrame>>()

/** The frames of a profile that are waited for, by their index in `Profile.frames`. O(waits) the first time, then kept. */
export function waitFrames ({ waits }: Profile): ReadonlyMap<number, WaitFrame> {
  if (waits === undefined) return new Map()
  let frames = known.get(waits)
  if (frames === undefined) known.set(waits, frames = collect(waits))
  return frames
}

function collect (waits: Waits): Map<number, WaitFrame> {
  const { operations, operation } = waits
  const shapes = waitShapes(waits)
  const counts = new Float64Array(operations.length)
  for (const id of operation) counts[id] = counts[id] as number + 1
  const frames = new Map<number, WaitFrame>()
  /** Of each frame the first operation. */
  const firsts = new Map<number, number>()
  operations.forEach(({ kind, target, statement, frame }, id) => {
    if (frame < 0) return
    const count = counts[id] as number
    const before = frames.get(frame)
    if (before === undefined) {
      firsts.set(frame, id)
      frames.set(frame, { kind, target, statement, operations: 1, count })
      return
    }
    const shape = shapes[id] as WaitShape
    const first = shapes[firsts.get(frame) as number] as WaitShape
    const isAlike = (before.operations === 1 || before.statement !== '') && shape.statement === first.statement && shape.target === first.target
    frames.set(frame, { ...before, ...isAlike ? shape : { statement: '' }, operations: before.operations + 1, count: before.count + count })
  })
  return frames
}

/**
 * What to call a frame of the graph, function or wait, by its index in `Profile.frames`; no text is cleaned or shortened to a width yet. A wait's name is
 * what was asked for, its location what kind of thing it is, and where.
 */
export function labelFrame (profile: Profile, index: number): FrameLabel {
  const frame = profile.frames[index] as Frame
  const wait = waitFrames(profile).get(index)
  if (wait !== undefined) return labelWait(wait)
  const label = labelFunction(frame, profile.run)
  if (frame.url !== '' || frame.name !== UNKNOWN_CALLER) return label
  const location = 'it isn\'t known who called these'
  return { ...label, location, versionedLocation: location }
}

/** For these it is the target that tells what was asked for. */
const NAMED_BY_TARGET: ReadonlySet<WaitKind> = new Set(['file', 'dns', 'connect', 'network', 'process', 'worker'])

function labelWait (wait: WaitFrame): FrameLabel {
  const { kind, target, statement, operations } = wait
  const isTold = (operations === 1 || statement !== '') && (kind === 'http' || NAMED_BY_TARGET.has(kind))
  const location = [waitKindName(kind), ...target === '' || isTold ? [] : [target]].join(' · ')
  return { name: nameOf(wait), location, versionedLocation: location, own: false, wait }
}

function nameOf ({ kind, target, statement, operations }: WaitFrame): string {
  if (operations > 1 && statement === '') return `${operations} ${kind === 'sql' ? 'statements' : 'operations'}`
  if (kind === 'http') return withHost(statement, target)
  const name = NAMED_BY_TARGET.has(kind) ? `${statement} ${target}`.trim() : statement
  return name === '' ? waitKindName(kind) : name
}

/** `GET /users` of `https://api.example` is `GET api.example/users`. */
function withHost (statement: string, origin: string): string {
  const [method = '', path = ''] = statement.split(/ (.*)/s)
  return `${method} ${origin.replace(/^\w+:\/\//, '')}${path}`
}

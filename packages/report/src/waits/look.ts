import { waitFrames } from '@geordi/callgraph'
import { classifier, type FrameKind, type Profile, type Waits } from '@geordi/profile'
import { countOf, timeOf } from './counts.ts'
import { CallPlaces } from './places.ts'
import { sharesOf } from './shares.ts'
import { Clock, stretchesOf, type Doing, type Stretches } from './stretches.ts'
import { talliesOf, type Tally } from './tallies.ts'

/** What findings, table and timeline have to know of a recording, worked out once. Times are microseconds. */
export interface Look {
  readonly profile: Profile
  /** The run's wall time: see `WallTime`. */
  readonly wall: number
  /** What each frame is; a wait's is `idle`. */
  readonly kinds: readonly FrameKind[]
  /** For each node of the call tree its own time. */
  readonly self: Float64Array
  readonly recorded: RecordedLook | undefined
}

/** What is known where waits were recorded. */
export interface RecordedLook {
  readonly waits: Waits
  readonly places: CallPlaces
  readonly tallies: readonly Tally[]
  /** For each wait its share of the wall time. */
  readonly shares: Float64Array
  /** How long the run did something else than to run the application's own code, between two times. */
  readonly away: Clock
  /** How long it ran code that isn't the application's own. */
  readonly others: Clock
  /** How long the recorder itself was at work. */
  readonly recorder: Clock
}

export function lookAt (profile: Profile): Look {
  const waitsAt = waitFrames(profile)
  const isWait = profile.frames.map((_, index) => waitsAt.has(index))
  const kindOf = classifier(profile.run)
  const kinds = profile.frames.map((frame, index) => isWait[index] === true ? 'idle' : kindOf(frame))
  const self = new Float64Array(profile.tree.frame.length)
  let sampled = 0
  profile.samples.node.forEach((node, at) => {
    const duration = profile.samples.duration[at] as number
    self[node] = (self[node] as number) + duration
    sampled += duration
  })
  const wall = Math.max(profile.run.wallTime ?? 0, sampled)
  return { profile, wall, kinds, self, recorded: profile.waits === undefined ? undefined : look(profile, profile.waits, kinds, isWait) }
}

function look (profile: Profile, waits: Waits, kinds: readonly FrameKind[], isWait: readonly boolean[]): RecordedLook {
  const recorder = profile.frames.findIndex(({ url, name }) => url === '' && name === '(recording)')
  const stretches = stretchesOf(profile, kinds, isWait, recorder)
  const places = new CallPlaces(profile, kinds)
  const shares = sharesOf(profile, waits, new Clock(stretches, new Set(['waiting'])))
  return { waits, places, shares, tallies: talliesOf(waits, shares, places), ...clocks(stretches) }
}

function clocks (stretches: Stretches): Pick<RecordedLook, 'away' | 'others' | 'recorder'> {
  const clock = (...counted: Doing[]) => new Clock(stretches, new Set(counted))
  return { away: clock('waiting', 'other'), others: clock('other'), recorder: clock('recording') }
}

/** For how long at least one of some waits was open and the application's own code didn't run. The waits are in the order of their starts. */
export function elapsed (recorded: RecordedLook, members: readonly number[]): number {
  return timeWithin(recorded, recorded.away, members)
}

/** For how long of that code ran, a driver's mostly. */
export function runningTime (recorded: RecordedLook, members: readonly number[]): number {
  return timeWithin(recorded, recorded.others, members)
}

/** Microseconds. Samples don't tell what happened in less. */
const TELLING = 10_000

/** The time of a wait that blocks the thread: all of it, whoever's function V8 has seen meanwhile, but what the recorder did that interrupted it. */
export function blockingTime ({ waits, recorder }: RecordedLook, wait: number): number {
  const time = timeOf(waits, wait)
  if (time < TELLING || countOf(waits, wait) > 1) return time
  return time - recorder.between(waits.start[wait] as number, waits.end[wait] as number)
}

function timeWithin (recorded: RecordedLook, clock: Clock, members: readonly number[]): number {
  const { waits } = recorded
  if (waits.operations[waits.operation[members[0] as number] as number]?.sync === true) return members.reduce((sum, wait) => sum + blockingTime(recorded, wait), 0)
  let sum = 0
  let until = -Infinity
  for (const wait of members) {
    const end = waits.end[wait] as number
    if (end <= until) continue
    sum += clock.between(Math.max(until, waits.start[wait] as number), end)
    until = end
  }
  return sum
}

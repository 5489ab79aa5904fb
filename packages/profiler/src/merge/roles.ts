import type { Frame } from '@geordi/profile'
import type { WaitRecording } from '@geordi/waits/recording'

/**
 * What a frame is on the way of a stack:
 * - `code`: a function like others;
 * - `base`: Node's own machinery, no caller where nothing but the like is below it;
 * - `boundary`: below it is nothing that caused what is above;
 * - `recorder`: of the recorder, or of those that use it;
 * - `wrapper`: of the recorder, in the place of a function that it calls, which may be a native one: that isn't the recorder's work;
 * - `native`: of the recorder, in the place of a function that has no frame of its own: its time is its caller's;
 * - `helper`: of what a compiler puts in place of `async`.
 */
export type Role = 'code' | 'base' | 'boundary' | 'recorder' | 'wrapper' | 'native' | 'helper'

/** Files of the recorder that call what they stand for. */
const WRAPPERS = ['builtins/', 'libraries/', 'observe.', 'recorder.', 'request-recorder.', 'running.']
const NATIVE = 'native.'

/** What calls the queues of Node, and its clock; `''` is V8's own, the root among them. */
const BASES = [
  'node:internal/process/', 'node:internal/timers', 'node:internal/async_hooks', 'node:internal/async_local_storage', 'node:async_hooks',
  'node:internal/async_context_frame', 'node:internal/perf/'
]

/** What starts and stops V8's profiler. */
const PROFILER = /\/node_modules\/v8-profiler-next\//

/** Frames of TypeScript's helpers; see {@link findHelpers}. */
const TSLIB = /\/node_modules\/tslib\//

/**
 * What stands for `async` below ES2017, and within how many lines its parts are: TypeScript's, which may have a number in a bundle, esbuild's, and that of
 * Babel and SWC. As a variable's function, V8 may tell it by a longer name.
 */
const AWAITERS: ReadonlyArray<readonly [name: RegExp, lines: number]> = [[/(?:^|\.)__awaiter(?:\$\d+)?$/, 10], [/(?:^|\.)__async(?:\$?\d+)?$/, 20], [/(?:^|\.)asyncGeneratorStep(?:\$?\d+)?$/, 40]]
const AWAITER_PARTS = new Set(['adopt', 'fulfilled', 'rejected', 'step', '_next', '_throw', ''])

/**
 * What `__asyncGenerator` is made of, which stands for async generators below ES2018. It has returned when its parts are called, so it is known by that
 * of its parts that no one else writes, so many lines from `__awaiter` at the most.
 */
const GENERATOR_MARK = /<computed>$/
const GENERATOR_DISTANCE = 50
const GENERATOR_LINES = 8
const GENERATOR_PARTS = new Set(['verb', 'awaitReturn', 'resume', 'step', 'fulfill', 'reject', 'settle', '__asyncGenerator', '__asyncValues', '__await', ''])

/** Finds out what frames are. Helpers are known by their place, so all frames must be told first. */
export class Roles {
  readonly #frames: readonly Frame[]
  readonly #recorder: WaitRecording['recorder']
  readonly #roles: Role[] = []
  readonly #helpers: Set<Frame>

  /** @param frames May grow later, but not by helpers. */
  constructor (frames: readonly Frame[], recorder: WaitRecording['recorder']) {
    this.#frames = frames
    this.#recorder = recorder
    this.#helpers = findHelpers(frames)
  }

  of (frame: number): Role {
    const role = this.#roles[frame] ?? this.#find(this.#frames[frame] as Frame)
    this.#roles[frame] = role
    return role
  }

  #find (frame: Frame): Role {
    const { url } = frame
    if (url === this.#recorder.boundary) return 'boundary'
    if (url.startsWith(this.#recorder.folder)) {
      const file = url.slice(this.#recorder.folder.length)
      if (file.startsWith(NATIVE)) return 'native'
      return WRAPPERS.some(start => file.startsWith(start)) ? 'wrapper' : 'recorder'
    }
    if (PROFILER.test(url) || this.#recorder.users?.some(folder => url.startsWith(folder)) === true) return 'recorder'
    if (url === '' || BASES.some(base => url.startsWith(base))) return 'base'
    return this.#helpers.has(frame) ? 'helper' : 'code'
  }
}

/** The frames of the helpers that TypeScript writes into each file, or imports from the package tslib. */
function findHelpers (frames: readonly Frame[]): Set<Frame> {
  const awaiters = frames.flatMap(frame => {
    const lines = AWAITERS.find(([name]) => name.test(frame.name))?.[1]
    return lines === undefined ? [] : [{ frame, url: frame.url, line: frame.line, lines }]
  })
  const marks = frames.filter(({ name, url, line }) => GENERATOR_MARK.test(name) &&
    awaiters.some(awaiter => awaiter.url === url && Math.abs(awaiter.line - line) <= GENERATOR_DISTANCE))
  const isPart = ({ name, url, line }: Frame) =>
    (AWAITER_PARTS.has(name) && awaiters.some(start => start.url === url && line >= start.line && line <= start.line + start.lines)) ||
    (GENERATOR_PARTS.has(name) && marks.some(mark => mark.url === url && Math.abs(line - mark.line) <= GENERATOR_LINES))
  return new Set([...awaiters.map(({ frame }) => frame), ...marks, ...frames.filter(frame => TSLIB.test(frame.url) || isPart(frame))])
}

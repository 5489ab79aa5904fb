import type { Profile } from '@geordi/profile'
import { CallGraphError } from './errors.ts'

/** What time is counted: see `CallGraphOptions.time`. */
export type TimeView = 'cpu' | 'wait' | 'wall'

/** What of a profile becomes the graph. */
export interface CallGraphOptions {
  /**
   * What is counted, so what 100 % is: `'cpu'` what code ran, `'wait'` what was waited for, `'wall'` all of the sampled time, with the idle time.
   * @defaultValue `'wall'` for a profile with waits, else `'cpu'`
   */
  readonly time?: TimeView
  /**
   * Functions shown at most, from 1.
   * @defaultValue 80
   */
  readonly maxNodes?: number
  /**
   * Functions whose total time is a smaller share of the time that is counted are not shown: 0 to 1.
   * @defaultValue 0.005
   */
  readonly nodeFraction?: number
  /**
   * Calls whose time is a smaller share of the time that is counted are not shown, unless they are a function's heaviest: 0 to 1.
   * @defaultValue 0.001
   */
  readonly edgeFraction?: number
  /**
   * Calls shown at most, for each function shown. Below about 1.5, connecting all functions may need more.
   * @defaultValue 1.8
   */
  readonly edgesPerNode?: number
}

/** The options with their defaults filled in. */
export type FilledCallGraphOptions = Readonly<Required<CallGraphOptions>>

/** `maxNodes`, the fractions and `edgesPerNode` after pprof's defaults, and what still reads well on a page. */
export const DEFAULTS: Omit<FilledCallGraphOptions, 'time'> = Object.freeze({
  maxNodes: 80,
  nodeFraction: 0.005,
  edgeFraction: 0.001,
  edgesPerNode: 1.8
})

const RULES: Readonly<Record<keyof typeof DEFAULTS, readonly [valid: (value: number) => boolean, takes: string]>> = {
  maxNodes: [value => Number.isInteger(value) && value >= 1, 'an integer from 1'],
  nodeFraction: [value => value >= 0 && value <= 1, 'a number from 0 to 1'],
  edgeFraction: [value => value >= 0 && value <= 1, 'a number from 0 to 1'],
  edgesPerNode: [value => value >= 1 && value <= 100, 'a number from 1 to 100']
}

const VIEWS: ReadonlyArray<unknown> = ['cpu', 'wait', 'wall']

/** Checks the options and fills in the defaults for a profile; `undefined` stands for the default. */
export function fillOptions ({ time, ...options }: CallGraphOptions = {}, { waits }: Pick<Profile, 'waits'> = {}): FilledCallGraphOptions {
  const filled: Record<keyof typeof DEFAULTS, number> = { ...DEFAULTS }
  for (const [name, value] of Object.entries(options)) {
    const rule = Object.hasOwn(RULES, name) ? RULES[name as keyof typeof RULES] : undefined
    if (rule === undefined) throw bad(`"${name}" is no option of the call graph: it has ${['time', ...Object.keys(RULES)].join(', ')}.`)
    if (value === undefined) continue
    if (typeof value !== 'number' || !rule[0](value)) throw bad(`The option "${name}" takes ${rule[1]}, not ${String(value)}.`)
    filled[name as keyof typeof RULES] = value
  }
  if (time !== undefined && !VIEWS.includes(time)) throw bad(`The option "time" takes "cpu", "wait" or "wall", not ${String(time)}.`)
  if (time === 'wait' && waits === undefined) throw bad('The option "time" can be "wait" for a profile with waits only: none were recorded with this one.')
  return Object.freeze({ ...filled, time: time ?? (waits === undefined ? 'cpu' : 'wall') })
}

function bad (message: string): CallGraphError {
  return new CallGraphError('GEORDI_CALLGRAPH_BAD_OPTION', message)
}

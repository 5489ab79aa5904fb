import { CallGraphError } from './errors.ts'

/** What of a profile becomes the graph. */
export interface CallGraphOptions {
  /**
   * Functions shown at most, from 1.
   * @defaultValue 80
   */
  readonly maxNodes?: number
  /**
   * Functions whose total time is a smaller share of the busy time are not shown: 0 to 1.
   * @defaultValue 0.005
   */
  readonly nodeFraction?: number
  /**
   * Calls whose time is a smaller share of the busy time are not shown, unless they are a function's heaviest: 0 to 1.
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
export const DEFAULTS: FilledCallGraphOptions = Object.freeze({
  maxNodes: 80,
  nodeFraction: 0.005,
  edgeFraction: 0.001,
  edgesPerNode: 1.8
})

const RULES: Readonly<Record<keyof CallGraphOptions, readonly [valid: (value: number) => boolean, takes: string]>> = {
  maxNodes: [value => Number.isInteger(value) && value >= 1, 'an integer from 1'],
  nodeFraction: [value => value >= 0 && value <= 1, 'a number from 0 to 1'],
  edgeFraction: [value => value >= 0 && value <= 1, 'a number from 0 to 1'],
  edgesPerNode: [value => value >= 1 && value <= 100, 'a number from 1 to 100']
}

/** Checks the options and fills in the defaults; `undefined` stands for the default. */
export function fillOptions (options: CallGraphOptions = {}): FilledCallGraphOptions {
  const filled: Record<keyof CallGraphOptions, number> = { ...DEFAULTS }
  for (const [name, value] of Object.entries(options)) {
    const rule = Object.hasOwn(RULES, name) ? RULES[name as keyof CallGraphOptions] : undefined
    if (rule === undefined) {
      const names = Object.keys(RULES).join(', ')
      throw new CallGraphError('GEORDI_CALLGRAPH_BAD_OPTION', `"${name}" is no option of the call graph: it has ${names}.`)
    }
    if (value === undefined) continue
    if (typeof value !== 'number' || !rule[0](value)) {
      throw new CallGraphError('GEORDI_CALLGRAPH_BAD_OPTION', `The option "${name}" takes ${rule[1]}, not ${String(value)}.`)
    }
    filled[name as keyof CallGraphOptions] = value
  }
  return Object.freeze(filled)
}

import type { ParseArgsConfig } from 'node:util'
import type { CallGraphOptions, FunctionPattern, ViewOptions } from '@geordi/callgraph'
import { numeric, text, UsageError, type CommandLine } from './command-line.ts'

/** What is shown of a profile, by the options that `geordi render` and `geordi profile` share. */
export interface GraphSettings {
  readonly graph: CallGraphOptions & ViewOptions
  readonly sources: boolean
  /** A URL with placeholders. */
  readonly sourceLink: string | undefined
}

export const GRAPH_HELP = `  --time WHAT           cpu: what code ran, wait: what was waited for, wall: both, and idle (wall where waits were recorded)
  --nodes N             functions shown at most (80)
  --node-fraction X     functions below this share of the time are not shown (0.005)
  --edge-fraction X     calls below it are not, unless they are a function's heaviest (0.001)
  --focus WHAT          only samples through this: a function's name, its place (src/db.js:12), /a regular expression/,
                        package:NAME; or "own": your code only, what it calls counted as its own time
  --root FUNCTION       only what happens below this function
  --granularity WHAT    function, file or package (function)
  --no-sources          don't look for names, source maps and versions in the files on this machine
  --source-link URL     where places in the pictures lead, with {path} or {relative}, {line}, {column}:
                        vscode://file/{path}:{line}
`

export const GRAPH_OPTIONS = {
  time: { type: 'string' },
  nodes: { type: 'string' },
  'node-fraction': { type: 'string' },
  'edge-fraction': { type: 'string' },
  focus: { type: 'string' },
  root: { type: 'string' },
  granularity: { type: 'string' },
  'no-sources': { type: 'boolean' },
  'source-link': { type: 'string' }
} as const satisfies ParseArgsConfig['options']

/** Reads them, all before anything is run for them. @throws UsageError that names the option */
export async function readGraphSettings (values: CommandLine['values']): Promise<GraphSettings> {
  const nodes = numeric(values['nodes'])
  if (nodes !== undefined && !(Number.isSafeInteger(nodes) && nodes >= 1)) throw new UsageError('--nodes must be a whole number from 1.')
  const nodeFraction = fraction('node-fraction', values)
  const edgeFraction = fraction('edge-fraction', values)
  const time = text(values['time'])
  if (time !== undefined && !isTime(time)) throw new UsageError('--time must be wall, cpu or wait.')
  const focus = text(values['focus'])
  const root = text(values['root'])
  const granularity = text(values['granularity'])
  if (granularity !== undefined && !isGranularity(granularity)) throw new UsageError('--granularity must be function, file or package.')
  return {
    graph: {
      ...time !== undefined && { time },
      ...nodes !== undefined && { maxNodes: nodes },
      ...nodeFraction !== undefined && { nodeFraction },
      ...edgeFraction !== undefined && { edgeFraction },
      ...focus !== undefined && { focus: readFocus(focus) },
      ...root !== undefined && { root: readPattern('root', root) },
      ...granularity !== undefined && { granularity }
    },
    sources: values['no-sources'] !== true,
    sourceLink: await readSourceLink(text(values['source-link']))
  }
}

/** The report's own check; it is loaded for it only where there is something to check. */
async function readSourceLink (template: string | undefined): Promise<string | undefined> {
  if (template === undefined) return undefined
  const { checkSourceLink } = await import('@geordi/report')
  try {
    return checkSourceLink({ template }).template
  } catch (error) {
    throw new UsageError((error as Error).message.replace('The option "sourceLink"', '--source-link'))
  }
}

function fraction (name: string, values: CommandLine['values']): number | undefined {
  const value = numeric(values[name])
  if (value !== undefined && !(value >= 0 && value <= 1)) throw new UsageError(`--${name} must be a number from 0 to 1.`)
  return value
}

function isTime (value: string): value is NonNullable<CallGraphOptions['time']> {
  return value === 'wall' || value === 'cpu' || value === 'wait'
}

function isGranularity (value: string): value is 'function' | 'file' | 'package' {
  return value === 'function' || value === 'file' || value === 'package'
}

function readFocus (value: string): NonNullable<ViewOptions['focus']> {
  if (value === 'own') return 'own'
  if (!value.startsWith('package:')) return { function: readPattern('focus', value) }
  const name = value.slice('package:'.length)
  if (name === '') throw new UsageError('--focus package: needs the name of a package.')
  return { package: name }
}

function readPattern (name: string, value: string): FunctionPattern {
  if (value === '') throw new UsageError(`--${name} must not be empty.`)
  const expression = /^\/(.+)\/([a-z]*)$/s.exec(value)
  if (expression === null) return value
  try {
    return new RegExp(expression[1]!, expression[2])
  } catch (error) {
    throw new UsageError(`--${name}: ${(error as Error).message}`)
  }
}

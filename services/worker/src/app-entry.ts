import { realpathSync } from 'node:fs'
import { createRequire } from 'node:module'
import { extname } from 'node:path'
import { pathToFileURL } from 'node:url'
import { WorkerError } from './errors.ts'

/** The user's app: the file that starts it and what node needs to run it. */
export interface AppEntry {
  /** Real path of the file. */
  readonly file: string
  /** Arguments that the app finds in `process.argv` behind its file. */
  readonly args: readonly string[]
  /** Options for node itself. */
  readonly execArgv: readonly string[]
}

const TYPESCRIPT = new Set(['.ts', '.mts', '.cts', '.tsx'])

/**
 * Finds the entry and how to run it: TypeScript with the app's own tsx where it has one, else with the
 * runtime's type stripping.
 * @throws WorkerError `GEORDI_OPTION_INVALID` when there is no such file or nothing here can run it.
 */
export function resolveEntry (path: string, args: readonly string[] = []): AppEntry {
  let file: string
  try {
    file = createRequire(pathToFileURL(`${process.cwd()}/`)).resolve(realpathSync(path))
  } catch (cause) {
    throw new WorkerError('GEORDI_OPTION_INVALID', `There is no file ${path}. Name the file that starts your server.`, { cause })
  }
  return { file, args, execArgv: TYPESCRIPT.has(extname(file)) ? typescriptLoader(file) : [] }
}

function typescriptLoader (file: string): string[] {
  try {
    return ['--import', pathToFileURL(createRequire(file).resolve('tsx')).href]
  } catch (cause) {
    if ((process.features as { typescript?: unknown }).typescript || hasLoader()) return []
    throw new WorkerError('GEORDI_OPTION_INVALID', `${file} is TypeScript, which Node ${process.version} does not run by itself. Install tsx in the app, use Node 22.18 or later, or name the built file.`, { cause })
  }
}

/** Whether this process was started with a loader of the user's, which the app will have as well. */
function hasLoader (): boolean {
  return /--(import|require|loader|experimental-loader|experimental-transform-types)\b|(^|\s)-r\b/.test([...process.execArgv, process.env['NODE_OPTIONS']].join(' '))
}

/** Options that are about this process alone: another program than a file, a debugger's port, profiles, a test runner. */
const OWN = /^--?(e|eval|p|print|pe|c|check|i|interactive|input-type|inspect|cpu-prof|heap-prof|test|watch|experimental-test)(-|=|$)/
const OWN_WITH_VALUE = /^--?(e|eval|p|print|pe|(inspect-port|cpu-prof-dir|heap-prof-dir|cpu-prof-name|heap-prof-name|test-reporter|test-reporter-destination|test-name-pattern|watch-path))$/

/** The options of node that this process was started with and that its replay processes shall have too: memory limits, loaders. */
export function inheritedExecArgv (execArgv: readonly string[] = process.execArgv): string[] {
  return execArgv.filter((option, index) => !OWN.test(option) && !(index > 0 && OWN_WITH_VALUE.test(execArgv[index - 1]!)))
}

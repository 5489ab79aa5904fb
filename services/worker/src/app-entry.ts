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
    if ((process.features as { typescript?: unknown }).typescript) return []
    throw new WorkerError('GEORDI_OPTION_INVALID', `${file} is TypeScript, which Node ${process.version} does not run by itself. Install tsx in the app, use Node 22.18 or later, or name the built file.`, { cause })
  }
}

import { readFileSync, realpathSync } from 'node:fs'
import { dirname, join, sep } from 'node:path'
import { findWorkspace } from '@geordi/profile/workspace'
import { findRevision } from './revision.ts'

/**
 * The app's name, version and revision, its folder and workspace, from the nearest package.json that has a name (a build writes some that only
 * say `type`). A program from node_modules as entry (fastify-cli) is not the app; the app is where it was started.
 */
export function describeApp (entry: string): { app?: string, root: string, workspace: string } {
  const file = realpathSync(entry)
  const start = file.split(sep).includes('node_modules') ? process.cwd() : dirname(file)
  for (let folder = start; ; folder = dirname(folder)) {
    const { name, version } = readPackage(folder)
    if (name !== undefined) return { app: inWords(name, version, findRevision(folder)), root: folder, workspace: findWorkspace(folder) }
    if (dirname(folder) === folder) return { root: start, workspace: findWorkspace(start) }
  }
}

function inWords (name: string, version: string | undefined, revision: string | undefined): string {
  return [name, version, revision === undefined ? undefined : `(revision ${revision})`].filter(part => part !== undefined).join(' ')
}

function readPackage (folder: string): { name?: string, version?: string } {
  try {
    return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) ?? {}
  } catch {
    // None here, or none that can be read.
    return {}
  }
}

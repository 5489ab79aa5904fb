import { existsSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'

/** Files that are at the top of a repository, whatever its tools. */
const TOPS = ['package-lock.json', 'npm-shrinkwrap.json', 'yarn.lock', 'pnpm-lock.yaml', 'pnpm-workspace.yaml', 'bun.lock', 'bun.lockb', '.git']

/**
 * The folder of the monorepo that an application is a part of: the nearest, from its own folder upwards, that has a lock file, a
 * package.json with `workspaces`, or `.git`. Never the home folder or the file system's root, where such files are strays.
 *
 * @param folder Absolute folder of the application.
 * @returns `folder` itself where there is no monorepo around it.
 */
export function findWorkspace (folder: string): string {
  const home = homedir()
  for (let at = folder; at !== home && dirname(at) !== at; at = dirname(at)) {
    if (TOPS.some(name => existsSync(join(at, name))) || hasWorkspaces(at)) return at
  }
  return folder
}

function hasWorkspaces (folder: string): boolean {
  try {
    return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')).workspaces !== undefined
  } catch {
    // None here, or none that can be read.
    return false
  }
}

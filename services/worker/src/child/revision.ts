import { readFileSync } from 'node:fs'
import { dirname, isAbsolute, join, resolve } from 'node:path'

/** Where builds and platforms say which revision they have put there: images often come without `.git`. */
const VARIABLES = ['SOURCE_VERSION', 'GIT_COMMIT', 'GIT_SHA', 'COMMIT_SHA', 'SOURCE_COMMIT', 'HEROKU_SLUG_COMMIT', 'RENDER_GIT_COMMIT', 'RAILWAY_GIT_COMMIT_SHA']
const REVISION = /^[0-9a-f]{7,64}$/
/** As many digits as a person compares; git's own short form has 7 to 12. */
const SHOWN = 12

/** The revision of the code in a folder, from the environment or from git's own files; undefined where neither tells. */
export function findRevision (folder: string, env: NodeJS.ProcessEnv = process.env): string | undefined {
  const told = VARIABLES.map(name => env[name]?.trim().toLowerCase() ?? '')
  return [...told, headOf(folder) ?? ''].find(text => REVISION.test(text))?.slice(0, SHOWN)
}

/** The commit that is checked out in the nearest repository, without running git. */
function headOf (folder: string): string | undefined {
  for (let at = folder; ; at = dirname(at)) {
    const git = gitFolder(join(at, '.git'))
    if (git !== undefined) return commitOf(git)
    if (dirname(at) === at) return undefined
  }
}

/** `.git` is a folder, or in a worktree a file that names one. */
function gitFolder (path: string): string | undefined {
  if (read(join(path, 'HEAD')) !== undefined) return path
  const [, named] = /^gitdir: (.+)$/m.exec(read(path) ?? '') ?? []
  return named === undefined ? undefined : resolve(dirname(path), named)
}

function commitOf (git: string): string | undefined {
  const head = read(join(git, 'HEAD')) ?? ''
  const [, reference] = /^ref: (refs\/.+)$/.exec(head) ?? []
  if (reference === undefined) return head
  const common = read(join(git, 'commondir')) ?? '.'
  const folders = [git, isAbsolute(common) ? common : join(git, common)]
  for (const folder of folders) {
    const commit = read(join(folder, reference)) ?? packed(read(join(folder, 'packed-refs')) ?? '', reference)
    if (commit !== undefined) return commit
  }
  return undefined
}

function packed (list: string, reference: string): string | undefined {
  return list.split('\n').find(line => line.endsWith(` ${reference}`))?.split(' ', 1)[0]
}

function read (file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8').trim()
  } catch {
    // Not there, or a folder, or not ours to read.
    return undefined
  }
}

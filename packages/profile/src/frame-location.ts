import { classify } from './frame-kind.ts'
import type { Frame, Run } from './model.ts'
import { scriptPath } from './script-path.ts'

/** Where a function is, for people. */
export interface FrameLocation {
  /** The npm package, with its scope. */
  readonly packageName?: string
  /** The package's version, where its path tells it. */
  readonly packageVersion?: string
  /** At most 60 characters: `fastify/lib/reply.js:12`, `src/app.js:30`, `node:fs:20`, or words such as `native`. */
  readonly text: string
}

const MAX_LENGTH = 60

/** Folders kept of a path that starts neither at a package nor at the application's root. */
const KEPT_FOLDERS = 2

/**
 * Where a function is, by its original place where that is known, and short enough to show: from its package's folder, or from
 * `run.process.root` or `run.process.workspace`. The line is left out
 * where it is unknown. What the profiled program chose (names, URLs) is shortened, but not cleaned of control characters.
 */
export function frameLocation (frame: Frame, run?: Run): FrameLocation {
  if (frame.url === '') return { text: wordsFor(frame, run) }
  const place = frame.source?.original ?? frame
  const script = scriptPath(place.url, run?.process)
  if (script.scheme === 'wasm') return { text: 'WebAssembly' }
  const line = place.line > 0 ? `:${place.line}` : ''
  const packaged = script.package ?? frame.source?.package
  if (packaged !== undefined) {
    const { name } = packaged
    const version = frame.source?.package?.version ?? packaged.version
    const inner = script.package === undefined ? pathIn(place.url, frame.source?.package?.folder) : script.path
    const path = inner === '' ? name : `${name}/${inner}`
    return { packageName: name, ...version !== undefined && { packageVersion: version }, text: shorten(path, MAX_LENGTH - line.length) + line }
  }
  const known = script.scheme === 'node' || (script.inside && run?.process?.root !== undefined)
  const path = known ? script.path : lastFolders(script.path)
  return { text: shorten(path, MAX_LENGTH - line.length) + line }
}

/** The path in a package that isn't in a node_modules folder: a link, a monorepo's, one in a bundle. */
function pathIn (url: string, folder: string | undefined): string {
  const { path, inside } = scriptPath(url, folder === undefined ? {} : { root: folder })
  return folder !== undefined && inside ? path : lastFolders(path)
}

function wordsFor (frame: Frame, run?: Run): string {
  if (frame.name.startsWith('RegExp: ')) return 'regular expression'
  return classify(frame, run) === 'native' ? 'native' : 'V8'
}

function lastFolders (path: string): string {
  const parts = path.split('/').filter(part => part !== '')
  return parts.slice(-1 - KEPT_FOLDERS).join('/')
}

/** Leaves out folders in the middle; where the file's name alone is too long, characters in its middle. */
function shorten (path: string, length: number): string {
  if (path.length <= length) return path
  const parts = path.split('/')
  const file = parts.at(-1) as string
  const first = path.startsWith('@') ? parts.slice(0, 2).join('/') : parts[0] as string
  for (let kept = parts.length - 2; kept >= 1; kept--) {
    const text = `${first}/…/${parts.slice(-kept).join('/')}`
    if (text.length <= length) return text
  }
  if (file.length + 2 <= length) return `…/${file}`
  const half = Math.floor((length - 1) / 2)
  return `${file.slice(0, half)}…${file.slice(-half)}`
}

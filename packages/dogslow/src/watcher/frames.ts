import { isAbsolute, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { FRAME_PREFIX } from '../frames.ts'
import type { Frame } from '../report.ts'
import type { Sources } from './sources.ts'

/** `async Type.method [as name] (file:///app/db.js:12:3)`, or the place alone. */
const SITE = /^(async )?(?:(.*?) ?\()?((?:[a-z]+:|\/|[A-Za-z]:\\|<|evalmachine)[^()]*?)(?::(\d+))?(?::(\d+))?\)?$/

/** Makes sense of stacks as V8 writes them. */
export class FrameReader {
  readonly #cwd: string
  readonly #own: readonly string[]
  readonly #sources: Sources

  constructor ({ cwd, own }: { readonly cwd: string, readonly own: readonly string[] }, sources: Sources) {
    this.#cwd = cwd
    this.#own = own
    this.#sources = sources
  }

  /** The frames of a stack; those of dogslow itself are left out. */
  read (stack: readonly string[]): Frame[] {
    const frames: Frame[] = []
    for (const site of stack) {
      const frame = this.#frame(site)
      // Node's queues and timers call everything; what is of interest of Node's is above the app's code.
      if (frame === undefined || (frame.file?.startsWith('node:internal/') === true && frames.length > 0)) continue
      frames.push(frame)
    }
    return frames
  }

  #frame (site: string): Frame | undefined {
    const [, async, name, place, line, column] = SITE.exec(site) ?? []
    if (place === undefined || place.startsWith('<') || line === undefined) {
      // `Array.sort (<anonymous>)`, `async Promise.all (index 1)`
      const native = site.replace(/ \((<anonymous>|native)\)$/, '').replace(/^async /, '')
      return { function: native, of: 'node', ...site.startsWith('async ') ? { async: true as const } : {} }
    }
    if (this.#own.some(folder => place.startsWith(folder)) || name?.includes(FRAME_PREFIX) === true) return undefined
    const path = toPath(place)
    const original = path === undefined ? undefined : this.#sources.original(path, Number(line), Number(column))
    const file = original?.path ?? path ?? place
    const of = ofWhom(file)
    const source = of === 'app' ? this.#sources.line(file, original?.line ?? Number(line), original?.content) : undefined
    return {
      function: nameOf(name),
      file: this.#shown(file),
      line: original?.line ?? Number(line),
      column: original?.column ?? Number(column ?? 1),
      of,
      ...async === undefined ? {} : { async: true as const },
      ...source === undefined ? {} : { source }
    }
  }

  #shown (file: string): string {
    if (!isAbsolute(file)) return file
    const short = relative(this.#cwd, file)
    return short === '' || short.startsWith('..') || isAbsolute(short) ? file : short.split(sep).join('/')
  }
}

/** The innermost frame of the app's own code. */
export function topFrame (stack: readonly Frame[]): Frame | undefined {
  return stack.find(({ of }) => of === 'app')
}

/** V8 puts the receiver's class before a method's name; of a plain object, or the app that a handler is called on, that tells nothing. */
function nameOf (name = ''): string {
  const short = name.replace(/^Object\./, '')
  return short === '' || short === '<anonymous>' ? '(anonymous)' : short
}

function ofWhom (file: string): Frame['of'] {
  if (file.startsWith('node:')) return 'node'
  return /(?:^|[\\/])node_modules[\\/]/.test(file) ? 'package' : 'app'
}

function toPath (place: string): string | undefined {
  if (place.startsWith('file:')) {
    try {
      return fileURLToPath(place)
    } catch {
      return undefined
    }
  }
  return isAbsolute(place) ? place : undefined
}

import { BOUNDARY_URL, OWN_FOLDER } from './boundary.ts'
import { integers } from './columns.ts'
import { fileUrl } from './file-url.ts'
import { CUT } from './recording.ts'

/** Frames of a stack that are looked at, as many as V8 has in a profile. Stacks that are deeper lose their outer end. */
export const DEPTH = 255

/** An error with the stack here. */
export function takeStack (): Error {
  const { stackTraceLimit } = Error
  limitStacks(DEPTH)
  const error = new Error()
  limitStacks(stackTraceLimit)
  return error
}

/** Has errors note so many frames. */
export function limitStacks (frames: number): void {
  try {
    Error.stackTraceLimit = frames
  } catch {
    // An app that has frozen `Error` has its own limit.
  }
}

/** What calls several promise hooks one after the other, where others than ours are: AsyncLocalStorage has some below Node 24. */
const HOOKS_URL = 'node:internal/promise_hooks'

/** So many stacks wait for being read: each holds on to the functions and receivers in it. */
const MOST_UNREAD = 1000

/** Functions, places and stacks that were met, each once. */
export interface StackTable {
  /** Name, URL, line and column of each function's definition, as the stack trace tells them. */
  readonly functions: Array<[name: string, url: string, line: number, column: number]>
  /** Index of the function, line and column of the call, from 1. */
  readonly places: Array<[functionIndex: number, line: number, column: number]>
  /** Indices of places, the innermost first; the last may be {@link CUT}. */
  readonly stacks: number[][]
}

/**
 * Takes stacks cheaply and reads them later: V8 notes one in 1 to 3 µs, and making sense of it costs ten. Equal ones are kept once.
 */
export class Stacks implements StackTable {
  readonly functions: StackTable['functions'] = []
  readonly places: StackTable['places'] = []
  readonly stacks: number[][] = []
  /** For each captured stack that was read, its index in `stacks`. */
  readonly #read = integers()
  #unread: Error[] = []
  readonly #functionIds = new Map<string, number>()
  readonly #placeIds = new Map<string, Map<number, number>>()
  readonly #stackIds = new Map<string, number>()
  /** For stacks that were kept once the number of each. */
  readonly #once = new Map<number, number>()
  /** Whether callers beyond an `await`, as V8 tells them, belong to a stack. */
  withAsync = false

  /** Keeps the stack that an error was made with, for later. @returns Its number. */
  keep (error: Error): number {
    return this.#read.length + this.#unread.push(error) - 1
  }

  /** Reads a stack at once. @returns Its number, the same for all that are equal. */
  keepOnce (error: Error): number {
    // So that numbers stay in the order of what was kept.
    this.read()
    this.#unread.push(error)
    this.read()
    const last = this.#read.length - 1
    const id = this.#read.at(last)
    const known = this.#once.get(id)
    if (known === undefined) {
      this.#once.set(id, last)
      return last
    }
    this.#read.length = last
    return known
  }

  get hasUnread (): boolean {
    return this.#unread.length > 0
  }

  /** Whether it is time to call {@link read}. */
  get isFull (): boolean {
    return this.#unread.length >= MOST_UNREAD
  }

  /** Makes sense of the stacks noted so far. */
  read (): void {
    if (this.#unread.length === 0) return
    const { prepareStackTrace } = Error
    prepareStacks((_error, sites) => sites)
    try {
      for (const error of this.#unread) {
        // An app that has frozen `Error` leaves us a text.
        const sites = error.stack as unknown as NodeJS.CallSite[] | string
        this.#read.push(this.#stack(typeof sites === 'string' ? [] : sites))
      }
    } finally {
      prepareStacks(prepareStackTrace)
    }
    this.#unread = []
  }

  /** For each captured stack its index in `stacks`. */
  toArray (): number[] {
    this.read()
    return this.#read.toArray()
  }

  #stack (sites: NodeJS.CallSite[]): number {
    const places: number[] = []
    for (const site of sites) {
      if (!this.withAsync && site.isAsync()) break
      const url = site.getScriptNameOrSourceURL()
      // V8's own functions (`new Promise`, `Array.map`) and those made of text (`new Function`, a template's): they have no place.
      if (!url || site.isNative() || url === HOOKS_URL) continue
      if (url.startsWith(OWN_FOLDER)) {
        if (url !== BOUNDARY_URL) continue
        places.push(CUT)
        break
      }
      places.push(this.#place(url, site))
    }
    const key = places.join()
    let id = this.#stackIds.get(key)
    if (id === undefined) this.#stackIds.set(key, id = this.stacks.push(places) - 1)
    return id
  }

  #place (url: string, site: NodeJS.CallSite): number {
    let known = this.#placeIds.get(url)
    if (known === undefined) this.#placeIds.set(url, known = new Map())
    const position = site.getPosition()
    let id = known.get(position)
    if (id === undefined) {
      id = this.places.push([this.#function(url, site), site.getLineNumber() ?? 0, site.getColumnNumber() ?? 0]) - 1
      known.set(position, id)
    }
    return id
  }

  #function (url: string, site: NodeJS.CallSite): number {
    const name = site.getFunctionName() ?? ''
    const line = site.getEnclosingLineNumber() ?? 0
    const column = site.getEnclosingColumnNumber() ?? 0
    const key = `${line}:${column}:${name}\n${url}`
    let id = this.#functionIds.get(key)
    if (id === undefined) this.#functionIds.set(key, id = this.functions.push([name, fileUrl(url), line, column]) - 1)
    return id
  }
}

function prepareStacks (prepare: typeof Error.prepareStackTrace): void {
  Reflect.set(Error, 'prepareStackTrace', prepare)
}

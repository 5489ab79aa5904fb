import { frameLocation, functionName, type Frame, type FrameKind, type Profile } from '@geordi/profile'

/** A place in the code, for people and for links. */
export interface Place extends Frame {
  /** What the function is called. */
  readonly label: string
  /** `src/db.ts:12`: of a call its own line, of a function that of its definition. */
  readonly location: string
}

/** Where a function is defined. */
export function placeOfFrame ({ frames, run }: Profile, index: number): Place {
  const frame = frames[index] as Frame
  return { ...frame, label: functionName(frame), location: frameLocation(frame, run).text }
}

/** Where a call is written. */
export function placeOfSite (profile: Profile, index: number): Place {
  const site = profile.waits?.sites[index]
  if (site === undefined) throw new RangeError(`There is no call site ${index}.`)
  const frame = profile.frames[site.frame] as Frame
  const { original: _, ...source } = frame.source ?? {}
  const at: Frame = { ...frame, line: site.line, column: site.column, source: { ...source, ...site.original !== undefined && { original: site.original } } }
  return { ...at, label: functionName(frame), location: frameLocation(at, profile.run).text }
}

/** Finds the application's own code in the stacks that started waits. */
export class CallPlaces {
  readonly #profile: Profile
  readonly #kinds: readonly FrameKind[]
  readonly #own = new Map<number, number>()
  readonly #ids = new Map<string, number>()

  constructor (profile: Profile, kinds: readonly FrameKind[]) {
    this.#profile = profile
    this.#kinds = kinds
  }

  /** The innermost place in the application's own code on the way to a place; the place itself where there is none. -1 for none at all. */
  own (site: number): number {
    let found = this.#own.get(site)
    if (found === undefined) {
      found = site
      for (let at = site; at >= 0; at = this.parent(at)) {
        if (!this.isOwn(at)) continue
        found = at
        break
      }
      this.#own.set(site, found)
    }
    return found
  }

  /** Those of the application's own code, the innermost first. */
  * chain (site: number): Generator<number> {
    for (let at = site; at >= 0; at = this.parent(at)) if (this.isOwn(at)) yield at
  }

  isOwn (site: number): boolean {
    return this.#kinds[this.#profile.waits?.sites[site]?.frame ?? -1] === 'app'
  }

  parent (site: number): number {
    return this.#profile.waits?.sites[site]?.parent ?? -1
  }

  /** A number that is the same for one line and column of code, whichever way led there. */
  id (site: number): number {
    const found = this.#profile.waits?.sites[site]
    if (found === undefined) return -1
    const key = `${found.frame} ${found.line} ${found.column}`
    let id = this.#ids.get(key)
    if (id === undefined) this.#ids.set(key, id = this.#ids.size)
    return id
  }
}

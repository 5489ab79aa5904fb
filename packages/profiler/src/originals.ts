import { findSourceMap } from 'node:module'
import { fileURLToPath } from 'node:url'
import type { FramePlace, Profile } from '@geordi/profile'
import type { StackTable } from '@geordi/waits'
import type { CpuProfile } from './cpu-profile.ts'

/** For a script's URL: line and column in what ran, and where that was written, each time; all from 1. */
export type Originals = Readonly<Record<string, ReadonlyArray<readonly [line: number, column: number, originalLine: number, originalColumn: number]>>>

/**
 * Places in scripts that a loader has built while it loaded them, as tsx does TypeScript: what ran is in no file, and only this process knows its
 * source map. Of a script that was built to a file, that file tells.
 */
export class BuiltPlaces {
  readonly #places = new Map<string, Set<string>>()

  /** Notes where the functions of a profile are. The process may be interrupted meanwhile. */
  addProfile ({ nodes }: CpuProfile): void {
    for (const { callFrame: { url, lineNumber, columnNumber } } of nodes) this.#add(url, lineNumber + 1, columnNumber + 1)
  }

  addStacks ({ functions, places }: Pick<StackTable, 'functions' | 'places'>): void {
    for (const [, url, line, column] of functions) this.#add(url, line, column)
    for (const [of, line, column] of places) this.#add(functions[of]?.[1] ?? '', line, column)
  }

  /** Where they were written; `undefined` where no script was built so. */
  toOriginals (): Originals | undefined {
    const found = Array.from(this.#places, ([url, places]) => [url, originalsOf(url, places)] as const).filter(([, originals]) => originals.length > 0)
    return found.length === 0 ? undefined : Object.fromEntries(found)
  }

  #add (url: string, line: number, column: number): void {
    if (!url.startsWith('file:') || url.includes('/node_modules/') || line < 1 || column < 1) return
    let places = this.#places.get(url)
    if (places === undefined) this.#places.set(url, places = new Set())
    places.add(`${line} ${column}`)
  }
}

function originalsOf (url: string, places: ReadonlySet<string>): Originals[string] {
  try {
    // A module is known by its URL, what was required by its path.
    const map = findSourceMap(url) ?? findSourceMap(fileURLToPath(url))
    if (map === undefined) return []
    return Array.from(places).flatMap(place => {
      const [line = 0, column = 0] = place.split(' ').map(Number)
      const entry = map.findEntry(line - 1, column - 1)
      return 'originalSource' in entry && isOf(entry.originalSource, url) ? [[line, column, entry.originalLine + 1, entry.originalColumn + 1] as const] : []
    })
  } catch {
    // A broken map costs lines, not the recording.
    return []
  }
}

/** Whether a script was built from the file that it has its name from. */
function isOf (source: string, url: string): boolean {
  return source === url || source === fileURLToPath(url)
}

/**
 * The profile with these places, as far as they are sound: they come from a file, which may be anybody's.
 *
 * @param originals As {@link BuiltPlaces} gave them.
 */
export function withOriginals (profile: Profile, originals: unknown): Profile {
  if (typeof originals !== 'object' || originals === null) return profile
  const places = new Map<string, FramePlace>()
  for (const [url, entries] of Object.entries(originals)) {
    for (const entry of Array.isArray(entries) ? entries : []) {
      if (!Array.isArray(entry) || !entry.every(number => Number.isSafeInteger(number) && number > 0)) continue
      const [line, column, originalLine, originalColumn] = entry as number[]
      if (originalLine !== undefined && originalColumn !== undefined) places.set(`${line} ${column} ${url}`, { url, line: originalLine, column: originalColumn })
    }
  }
  const originalOf = ({ line, column }: { readonly line: number, readonly column: number }, url: string) => places.get(`${line} ${column} ${url}`)
  const frames = profile.frames.map(frame => {
    const original = originalOf(frame, frame.url)
    return original === undefined ? frame : { ...frame, source: { ...frame.source, original } }
  })
  if (profile.waits === undefined) return { ...profile, frames }
  const sites = profile.waits.sites.map(site => {
    const original = originalOf(site, frames[site.frame]?.url ?? '')
    return original === undefined ? site : { ...site, original }
  })
  return { ...profile, frames, waits: { ...profile.waits, sites } }
}

import { classifier, classify } from '../frame-kind.ts'
import type { Frame, FrameSource, Profile } from '../model.ts'
import type { CallSite } from '../waits.ts'
import { pathOf, readRegularFile, type ReadFile } from './files.ts'
import { FrameNamer, ParseBudget } from './name-frames.ts'
import { Packages } from './packages.ts'
import { Script } from './script.ts'
import { loadSourceMap, type SourceMap } from './source-map.ts'

/** How much is looked at. */
export interface SourceLimits {
  /**
   * Bytes of a script or a source map; larger ones aren't read.
   * @defaultValue 64 MB
   */
  readonly file?: number
  /**
   * Characters that are parsed at once for names: 0.15 to 0.5 s a million. Of a larger script only the statements that hold the functions are.
   * @defaultValue 1.5 million
   */
  readonly parse?: number
  /**
   * Characters parsed in all.
   * @defaultValue 3 million
   */
  readonly parseInAll?: number
}

/** Where sources are read, and how much work they may be. */
export interface SourceOptions {
  /** Reads a script, a source map or a package.json by its path. @defaultValue from the disk, regular files only */
  readonly readFile?: ReadFile
  /** Where reading and parsing ends; what lies beyond keeps V8's names. @defaultValue those of {@link SourceLimits} */
  readonly limits?: SourceLimits
}

/** Something about a script's source map that its reader should know. */
export interface SourceNote {
  /** The script. */
  readonly url: string
  /** A sentence's end: «the source map …». */
  readonly problem: string
}

interface LoadedScript {
  readonly map: SourceMap | undefined
  readonly namer: FrameNamer
}

const DEFAULTS = { file: 64 * 2 ** 20, parse: 1_500_000, parseInAll: 3_000_000 } as const satisfies Required<SourceLimits>

/**
 * Looks at the scripts of one profile: each file is read once, however often it's asked. It never fails: what can't be read, is
 * broken or too large leaves V8's words as they are; broken source maps are in `notes`.
 */
export class SourceResolver {
  readonly #readFile: ReadFile
  readonly #limits: Required<SourceLimits>
  readonly #packages: Packages
  readonly #budget: ParseBudget
  readonly #scripts = new Map<string, Promise<LoadedScript | undefined>>()
  readonly #notes: SourceNote[] = []

  constructor ({ readFile, limits }: SourceOptions = {}) {
    this.#limits = { ...DEFAULTS, ...limits }
    this.#readFile = readFile ?? (path => readRegularFile(path, this.#limits.file))
    this.#packages = new Packages(this.#readFile)
    this.#budget = new ParseBudget(this.#limits.parse, this.#limits.parseInAll)
  }

  /** What was found wrong so far. */
  get notes (): readonly SourceNote[] {
    return this.#notes
  }

  /**
   * Where the application's own frames and the calls in them were written, and which frames are Geordi's: what a graph has to know before it can
   * tell whose time was spent. Of other packages no map is read: they remain packages wherever they were written.
   */
  async locate (profile: Profile): Promise<Profile> {
    const kindOf = classifier(profile.run)
    const own = Array.from(profile.frames.keys()).filter(at => kindOf(profile.frames[at] as Frame) === 'app')
    const located = await this.#change(profile, own, async frame => {
      const known = await this.#packages.packageOf(frame.url, profile.run)
      if (known !== undefined) return { ...frame.source, package: known }
      return withOriginal(frame, await this.#scriptOf(frame))
    })
    if (located.waits === undefined) return located
    return { ...located, waits: { ...located.waits, sites: await Promise.all(located.waits.sites.map(site => this.#locateCall(located, site))) } }
  }

  async #locateCall ({ frames }: Profile, site: CallSite): Promise<CallSite> {
    const frame = frames[site.frame]
    // Where the function's own place is known, so is its script's map.
    if (frame?.source?.original === undefined) return site
    const original = (await this.#scriptOf(frame))?.map?.originalOf(site.line, site.column)
    return original === undefined ? site : { ...site, original }
  }

  /**
   * All that can be told of some frames: their original places, names that tell, packages with versions.
   *
   * @param only Indices of frames, the most important ones first: when the budget for parsing is used up, the rest keep V8's
   * names. @defaultValue all
   */
  async resolve (profile: Profile, only: Iterable<number> = profile.frames.keys()): Promise<Profile> {
    return this.#change(profile, only, async frame => {
      if (frame.url === '' || classify(frame, profile.run) === 'node') return frame.source
      const script = await this.#scriptOf(frame)
      const name = script?.namer.nameOf(frame)
      const source = withOriginal(frame, script)
      const known = await this.#packages.packageOf(frame.url, profile.run) ??
        (source?.original && await this.#packages.packageOf(source.original.url, profile.run))
      return { ...source, ...known !== undefined && { package: known }, ...name !== undefined && { name } }
    })
  }

  async #change (profile: Profile, only: Iterable<number>, look: (frame: Frame) => Promise<FrameSource | undefined>): Promise<Profile> {
    const frames = profile.frames.slice()
    for (const at of only) {
      const frame = frames[at]
      if (frame === undefined) continue
      const source = await look(frame).catch(() => frame.source)
      if (source !== undefined && Object.keys(source).length > 0) frames[at] = { ...frame, source }
    }
    return { ...profile, frames }
  }

  #scriptOf ({ url }: Frame): Promise<LoadedScript | undefined> {
    let script = this.#scripts.get(url)
    if (script === undefined) this.#scripts.set(url, script = this.#load(url))
    return script
  }

  async #load (url: string): Promise<LoadedScript | undefined> {
    const path = pathOf(url)
    if (path === undefined) return undefined
    const script = await this.#readFile(path).then(text => new Script(text), () => undefined)
    if (script === undefined) return undefined
    const map = await loadSourceMap(script, url, this.#readFile).catch((error: Error) => {
      this.#notes.push({ url, problem: error.message })
      return undefined
    })
    return { map, namer: new FrameNamer(script, map, this.#budget) }
  }
}

/**
 * The profile with what source maps, sources and package.json files tell of its frames, in `Frame.source`. Frames keep their indices
 * and V8's own words and places; two functions stay two. It never fails.
 *
 * @param options `only`: indices of the frames to look at, the most important ones first. @defaultValue all
 */
export async function resolveSources (profile: Profile, { only, ...options }: SourceOptions & { readonly only?: Iterable<number> } = {}):
Promise<{ profile: Profile, notes: readonly SourceNote[] }> {
  const resolver = new SourceResolver(options)
  return { profile: await resolver.resolve(profile, only), notes: resolver.notes }
}

function withOriginal (frame: Frame, script: LoadedScript | undefined): FrameSource | undefined {
  if (frame.source?.original !== undefined || frame.line < 1) return frame.source
  const original = script?.map?.originalOf(frame.line, frame.column)
  return original === undefined ? frame.source : { ...frame.source, original }
}

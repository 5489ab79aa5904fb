import { AnyMap, GREATEST_LOWER_BOUND, LEAST_UPPER_BOUND, originalPositionFor, traceSegment, type TraceMap } from '@jridgewell/trace-mapping'
import type { FramePlace } from '../model.ts'
import { pathOf, type ReadFile } from './files.ts'
import type { Script } from './script.ts'

/** Where a script's map is, as the script says: the last such comment counts. */
const COMMENT = /(?:\/\/|\/\*)[#@]\s*sourceMappingURL=(\S+?)(?:\s*\*\/)?[ \t]*$/gm

/** Original lines and columns beyond this are a broken map's. */
const LARGEST_PLACE = 10_000_000

/** A script's source map, ready to be asked. */
export class SourceMap {
  readonly #map: TraceMap
  readonly #script: Script

  constructor (map: TraceMap, script: Script) {
    this.#map = map
    this.#script = script
  }

  /** Where the code at a place of the script was written; `undefined` where the map says nothing, or names a web address. */
  originalOf (line: number, column: number): FramePlace | undefined {
    return this.#at(line, column) ?? this.#between(line)
  }

  /** A line that the compiler has put in has no place of its own, but for the one where it was put: `return __awaiter(this, …, function* () {`. */
  #between (line: number): FramePlace | undefined {
    const [before, after] = [this.#at(line - 1, Infinity), this.#at(line + 1, 1)]
    return before?.url === after?.url ? before : undefined
  }

  #at (line: number, column: number): FramePlace | undefined {
    if (line < 1) return undefined
    const needle = { line, column: column - 1 }
    const before = originalPositionFor(this.#map, { ...needle, bias: GREATEST_LOWER_BOUND })
    const found = before.source !== null ? before : originalPositionFor(this.#map, { ...needle, bias: LEAST_UPPER_BOUND })
    // The types don't know of maps that point beyond their own lists.
    if (typeof found.source !== 'string') return undefined
    const url = cleanSource(found.source)
    if (url === undefined || found.line < 1 || !(found.line < LARGEST_PLACE) || !(found.column < LARGEST_PLACE)) return undefined
    return { url, line: found.line, column: Math.max(0, found.column) + 1 }
  }

  /** What an identifier of the script was called, where the map tells it for this very place. */
  nameAt (offset: number): string | undefined {
    const { line, column } = this.#script.placeOf(offset)
    const segment = traceSegment(this.#map, line - 1, column - 1)
    if (segment === null || segment.length !== 5 || segment[0] !== column - 1) return undefined
    const name: unknown = this.#map.names[segment[4]]
    return typeof name === 'string' && name !== '' ? name : undefined
  }
}

/**
 * The source map that a script names: inline, or in a file beside it. A map on the web is not asked for.
 *
 * @returns `undefined` where the script names none.
 * @throws {Error} whose message says what is wrong with it, as the end of a sentence.
 */
export async function loadSourceMap (script: Script, url: string, readFile: ReadFile): Promise<SourceMap | undefined> {
  const target = mapTarget(script.text)
  if (target === undefined) return undefined
  if (target.startsWith('data:')) return parseMap(decodeDataUrl(target), url, script)
  const resolved = URL.canParse(target, url) ? new URL(target, url).href : ''
  if (/^https?:/.test(resolved)) throw new Error('it is on the web, and isn\'t fetched')
  const path = pathOf(resolved)
  if (path === undefined) throw new Error('its address leads nowhere')
  return parseMap(await readFile(path), resolved, script)
}

function mapTarget (text: string): string | undefined {
  // A regular expression over megabytes of code only where the word is.
  const at = text.lastIndexOf('sourceMappingURL=')
  if (at < 0) return undefined
  return Array.from(text.slice(Math.max(0, at - 8)).matchAll(COMMENT)).at(-1)?.[1]
}

function decodeDataUrl (url: string): string {
  const comma = url.indexOf(',')
  const head = url.slice(5, comma)
  const body = url.slice(comma + 1)
  if (comma < 0) throw new Error('its data: URL holds nothing')
  if (/;base64$/i.test(head)) return Buffer.from(body, 'base64').toString()
  try {
    return decodeURIComponent(body)
  } catch {
    throw new Error('its data: URL is wrongly encoded')
  }
}

function parseMap (text: string, url: string, script: Script): SourceMap {
  let json: unknown
  try {
    // Some servers guard JSON against being run as a script, and the guard got into files.
    json = JSON.parse(text.replace(/^\)\]\}'[^\n]*\n/, ''))
  } catch {
    throw new Error('it isn\'t JSON')
  }
  const map = json as { version?: unknown, mappings?: unknown, sources?: unknown, sections?: unknown } | null
  if (typeof map !== 'object' || map === null) throw new Error('it isn\'t an object')
  if (map.version !== 3) throw new Error(`its version is ${String(map.version)}, not 3`)
  const isPlain = typeof map.mappings === 'string' && Array.isArray(map.sources)
  if (!isPlain && !Array.isArray(map.sections)) throw new Error('it has neither mappings nor sections')
  try {
    const traced = new AnyMap(map as ConstructorParameters<typeof AnyMap>[0], url)
    // Decodes the mappings, so that nonsense is found here.
    traceSegment(traced, 0, 0)
    return new SourceMap(traced, script)
  } catch (error) {
    throw new Error(`it is broken: ${(error as Error).message}`)
  }
}

/** webpack's own words for sources are left to `scriptPath`. */
function cleanSource (source: string): string | undefined {
  // A source without a name becomes the map's folder.
  if (/^https?:/i.test(source) || source.endsWith('/')) return undefined
  if (/^[A-Za-z]:[\\/]/.test(source)) return `file:///${source.replaceAll('\\', '/')}`
  return source
}

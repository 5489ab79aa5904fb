import { readFileSync, statSync } from 'node:fs'
import { SourceMap, type SourceMapPayload } from 'node:module'
import { dirname, isAbsolute, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

export interface Original {
  readonly path: string
  readonly line: number
  readonly column: number
  /** The source's text, where the map holds it. */
  readonly content: string | undefined
}

interface Mapped {
  readonly map: SourceMap
  readonly folder: string
}

/** Files are kept: reports come in numbers, and about the same places. */
const MOST_FILES = 50
/** Bytes of a file, or of a map. */
const LARGEST = 10 * 1024 * 1024
/** Characters of mappings that are kept: each becomes some 25 bytes, and a thread whose memory is full dies. */
const MOST_MAPPINGS = 2 * 1024 * 1024
const LONGEST_LINE = 200

/** Reads source files and their maps, in the watcher's thread. What can't be read is left out of a report. */
export class Sources {
  readonly #files = new Map<string, { readonly text: string, readonly lines: string[] } | null>()
  readonly #maps = new Map<string, Mapped | null>()
  /** Characters of their mappings. */
  #mappings = 0

  /** A line's text, from 1. */
  line (path: string, line: number, content?: string): string | undefined {
    const text = content === undefined ? this.#file(path)?.lines[line - 1] : content.split('\n')[line - 1]
    const trimmed = text?.trim()
    if (trimmed === undefined || trimmed === '') return undefined
    return trimmed.length > LONGEST_LINE ? `${trimmed.slice(0, LONGEST_LINE)}…` : trimmed
  }

  /** Where a place of a built file comes from; places from 1. */
  original (path: string, line: number, column: number): Original | undefined {
    const mapped = this.#map(path)
    if (mapped === null) return undefined
    const entry = mapped.map.findEntry(line - 1, column - 1)
    if (!('originalSource' in entry) || typeof entry.originalSource !== 'string') return undefined
    const { sources, sourceRoot = '', sourcesContent } = mapped.map.payload as SourceMapPayload
    const at = sources.indexOf(entry.originalSource)
    const content = sourcesContent?.[at] as string | null | undefined
    return {
      path: locate(entry.originalSource, sourceRoot, mapped.folder),
      line: entry.originalLine + 1,
      column: entry.originalColumn + 1,
      content: content ?? undefined
    }
  }

  #map (path: string): Mapped | null {
    let mapped = this.#maps.get(path)
    if (mapped === undefined) {
      mapped = this.#readMap(path)
      if (this.#maps.size >= MOST_FILES) this.#forgetMaps()
      this.#maps.set(path, mapped)
    }
    return mapped
  }

  #readMap (path: string): Mapped | null {
    const text = this.#file(path)?.text
    if (text === undefined) return null
    const reference = /\/\/[#@] sourceMappingURL=(\S+)\s*$/.exec(text.slice(text.lastIndexOf('\n//')))?.[1]
    if (reference === undefined) return null
    try {
      if (!reference.startsWith('data:')) {
        const file = resolve(dirname(path), decodeURIComponent(reference))
        const json = readText(file)
        return json === null ? null : this.#toMapped(json, dirname(file))
      }
      const comma = reference.indexOf(',')
      const json = reference.slice(0, comma).endsWith(';base64') ? Buffer.from(reference.slice(comma + 1), 'base64').toString() : decodeURIComponent(reference.slice(comma + 1))
      return this.#toMapped(json, dirname(path))
    } catch {
      // A map that is missing or broken: then the built file's places are told.
      return null
    }
  }

  #toMapped (json: string, folder: string): Mapped | null {
    const payload = JSON.parse(json) as SourceMapPayload
    // A map of several bundles has sections.
    const { sections = [{ map: payload }] } = payload as { sections?: Array<{ map: SourceMapPayload }> }
    const size = sections.reduce((sum, { map: { mappings } }) => sum + mappings.length, 0)
    if (size > MOST_MAPPINGS) return null
    if (this.#mappings + size > MOST_MAPPINGS) this.#forgetMaps()
    this.#mappings += size
    return { map: new SourceMap(payload), folder }
  }

  #forgetMaps (): void {
    this.#maps.clear()
    this.#mappings = 0
  }

  #file (path: string): { readonly text: string, readonly lines: string[] } | undefined {
    let file = this.#files.get(path)
    if (file === undefined) {
      file = readFile(path)
      if (this.#files.size >= MOST_FILES) this.#files.clear()
      this.#files.set(path, file)
    }
    return file ?? undefined
  }
}

function readFile (path: string): { readonly text: string, readonly lines: string[] } | null {
  try {
    const text = readText(path)
    return text === null ? null : { text, lines: text.split('\n') }
  } catch {
    return null
  }
}

/** @throws Error where there is no such file. */
function readText (path: string): string | null {
  return statSync(path).size > LARGEST ? null : readFileSync(path, 'utf8')
}

function locate (source: string, root: string, folder: string): string {
  if (source.startsWith('file:')) return fileURLToPath(source)
  const joined = root === '' || isAbsolute(source) ? source : `${root.replace(/\/$/, '')}/${source}`
  return /^[a-z]+:\/\//.test(joined) ? joined : resolve(folder, joined)
}

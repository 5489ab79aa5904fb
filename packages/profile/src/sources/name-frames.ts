import type { Program } from 'acorn'
import type { Frame } from '../model.ts'
import { type Rename, shortName } from './name-words.ts'
import { nameFunction, nameOfClassCode, writtenName } from './naming.ts'
import { isClass, isFunction, isPlaceInClass, parseScript, pathTo, placeOfFunction } from './parse.ts'
import type { Script } from './script.ts'
import type { SourceMap } from './source-map.ts'

/** A plain function declaration right before its parameters: its name is all there is to say, and no parser is needed. */
const DECLARATION = /(?:^|[\n;}])[ \t]*(?:export\s+)?(?:async\s+)?function\s*\*?\s*([\p{ID_Start}_$][\p{ID_Continue}$]*)\s*$/u
const IDENTIFIER = /#?([\p{ID_Start}_$][\p{ID_Continue}$]*)\s*$/u
const LOOK_BACK = 200

/** Code that was parsed: a whole script, or a part of it that begins at an offset. */
interface Parsed {
  readonly program: Program
  readonly text: string
  readonly start: number
}

/**
 * Names the functions of one script; it is parsed when the first one needs it, and at most once. Of a script that is too large for that only the
 * statements are that hold the functions.
 */
export class FrameNamer {
  readonly #script: Script
  readonly #map: SourceMap | undefined
  readonly #budget: ParseBudget
  /** It is parsed as a whole. */
  #isSmall: boolean | undefined
  /** What was parsed, by where it begins; `undefined` where it couldn't be. */
  readonly #parts = new Map<number, Parsed | undefined>()

  constructor (script: Script, map: SourceMap | undefined, budget: ParseBudget) {
    this.#script = script
    this.#map = map
    this.#budget = budget
  }

  /** A name that tells more than V8's, or `undefined`. */
  nameOf (frame: Frame): string | undefined {
    const offset = this.#script.offsetOf(frame.line, frame.column)
    // The module's top level begins with the script.
    if (offset === undefined || (offset === 0 && frame.name === '')) return undefined
    const name = this.#declared(frame, offset) ?? this.#parsed(frame, offset) ?? this.#renamed(frame, offset)
    return name === undefined || name === '' || name === frame.name ? undefined : shortName(name)
  }

  #declared (frame: Frame, offset: number): string | undefined {
    const { text } = this.#script
    if (frame.name === '' || text[offset] !== '(') return undefined
    const declared = DECLARATION.exec(text.slice(Math.max(0, offset - LOOK_BACK), offset))
    return declared?.[1] === frame.name ? this.#renamed(frame, offset) ?? frame.name : undefined
  }

  /** The identifier before the parameters, by the map: all there is for a script that can't be parsed. */
  #renamed (frame: Frame, offset: number): string | undefined {
    if (this.#map === undefined || frame.name === '' || this.#script.text[offset] !== '(') return undefined
    const from = Math.max(0, offset - LOOK_BACK)
    const before = IDENTIFIER.exec(this.#script.text.slice(from, offset))
    return before?.[1] === frame.name ? this.#map.nameAt(from + before.index) : undefined
  }

  #parsed (frame: Frame, offset: number): string | undefined {
    const parsed = this.#parse(offset)
    if (parsed === undefined) return undefined
    try {
      return this.#nameAt(parsed, frame, offset - parsed.start)
    } catch {
      // Syntax that nobody thought of costs a name, not the report.
      return undefined
    }
  }

  /** @param offset In the text that was parsed. */
  #nameAt ({ program, text, start }: Parsed, frame: Frame, offset: number): string | undefined {
    const path = pathTo(program, offset)
    const rename: Rename = node => this.#map?.nameAt(start + node.start) ?? node.name
    for (let at = path.length - 1; at >= 0; at--) {
      const node = path[at]
      if (isFunction(node) && placeOfFunction(node, text) === offset) {
        return isSame(frame, writtenName(path, at)) ? nameFunction(path, at, frame.name, rename) : undefined
      }
      if (isClass(node) && isPlaceInClass(node, offset)) return nameOfClassCode(path, at, frame.name, offset, rename)
    }
    return undefined
  }

  #parse (offset: number): Parsed | undefined {
    const { text } = this.#script
    this.#isSmall ??= this.#budget.take(text.length)
    const { start, end } = this.#isSmall ? { start: 0, end: text.length } : this.#script.statementAround(offset)
    if (!this.#parts.has(start)) this.#parts.set(start, this.#isSmall || this.#budget.take(end - start) ? parse(text.slice(start, end), start) : undefined)
    return this.#parts.get(start)
  }
}

function parse (text: string, start: number): Parsed | undefined {
  try {
    return { program: parseScript(text), text, start }
  } catch {
    // TypeScript, a syntax newer than the parser, nested too deeply: V8's names remain.
    return undefined
  }
}

/** How many characters may still be parsed, at once and in all. */
export class ParseBudget {
  readonly #largest: number
  #left: number

  constructor (largest: number, inAll: number) {
    this.#largest = largest
    this.#left = inAll
  }

  /** Takes so many, or none. */
  take (size: number): boolean {
    if (size > this.#largest || size > this.#left) return false
    this.#left -= size
    return true
  }
}

/** False where the file was changed since it was run, so that another function is at the place. */
function isSame (frame: Frame, written: string | undefined): boolean {
  return written === undefined || frame.name.replace(/^[gs]et /, '').split('.').at(-1) === written
}

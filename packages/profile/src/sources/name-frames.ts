import type { Program } from 'acorn'
import type { Frame } from '../model.ts'
import { shortName } from './name-words.ts'
import { nameFunction, nameOfClassCode, writtenName } from './naming.ts'
import { isClass, isFunction, isPlaceInClass, parseScript, type Path, pathTo, placeOfFunction } from './parse.ts'
import type { Script } from './script.ts'
import type { SourceMap } from './source-map.ts'

/** A plain function declaration right before its parameters: its name is all there is to say, and no parser is needed. */
const DECLARATION = /(?:^|[\n;}])[ \t]*(?:export\s+)?(?:async\s+)?function\s*\*?\s*([\p{ID_Start}_$][\p{ID_Continue}$]*)\s*$/u
const IDENTIFIER = /#?([\p{ID_Start}_$][\p{ID_Continue}$]*)\s*$/u
const LOOK_BACK = 200

/** Names the functions of one script; it is parsed when the first one needs it, and at most once. */
export class FrameNamer {
  readonly #script: Script
  readonly #map: SourceMap | undefined
  readonly #mayParse: (size: number) => boolean
  #program: Program | undefined
  #unparsable = false

  /** @param mayParse Whether there is budget left to parse so many characters. */
  constructor (script: Script, map: SourceMap | undefined, mayParse: (size: number) => boolean) {
    this.#script = script
    this.#map = map
    this.#mayParse = mayParse
  }

  /** A name that tells more than V8's, or `undefined`. */
  nameOf (frame: Frame): string | undefined {
    const offset = this.#script.offsetOf(frame.line, frame.column)
    // The module's top level begins with the script.
    if (offset === undefined || (offset === 0 && frame.name === '')) return undefined
    const name = this.#declared(frame, offset) ?? this.#parsed(frame, offset) ?? this.#renamed(frame, offset)
    return name === undefined || name === '' || name === frame.name ? undefined : shortName(name)
  }

  #rename = ({ start, name }: { start: number, name: string }): string => this.#map?.nameAt(start) ?? name

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
    const program = this.#parse()
    if (program === undefined) return undefined
    try {
      return this.#nameAt(pathTo(program, offset), frame, offset)
    } catch {
      // Syntax that nobody thought of costs a name, not the report.
      return undefined
    }
  }

  #nameAt (path: Path, frame: Frame, offset: number): string | undefined {
    for (let at = path.length - 1; at >= 0; at--) {
      const node = path[at]
      if (isFunction(node) && placeOfFunction(node, this.#script.text) === offset) {
        return isSame(frame, writtenName(path, at)) ? nameFunction(path, at, frame.name, this.#rename) : undefined
      }
      if (isClass(node) && isPlaceInClass(node, offset)) return nameOfClassCode(path, at, frame.name, offset, this.#rename)
    }
    return undefined
  }

  #parse (): Program | undefined {
    if (this.#program !== undefined || this.#unparsable) return this.#program
    this.#unparsable = true
    if (!this.#mayParse(this.#script.text.length)) return undefined
    try {
      this.#program = parseScript(this.#script.text)
    } catch {
      // TypeScript, a syntax newer than the parser, nested too deeply: V8's names remain.
    }
    return this.#program
  }
}

/** False where the file was changed since it was run, so that another function is at the place. */
function isSame (frame: Frame, written: string | undefined): boolean {
  return written === undefined || frame.name.replace(/^[gs]et /, '').split('.').at(-1) === written
}

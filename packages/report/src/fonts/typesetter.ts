import { baseFace, covers, type Face, type Weight } from './face.ts'
import { directions } from './directions.ts'
import { isPlain } from './fast-layout.ts'
import { moreFaces } from './more-faces.ts'
import { clean, clusters, type Measure } from '../text.ts'

/** A piece of a line in one font and direction. */
export interface TextRun {
  readonly face: Face
  /** In the order in which it is read. */
  readonly text: string
  /** At 1 point. */
  readonly width: number
}

/**
 * Knows the fonts of one report: which one has a character, how wide a text is, and how a line is put together. What no font has is
 * written as an escape (`\u{1F9FF}`), never as an empty box.
 */
export class Typesetter {
  readonly #more: readonly Face[]
  readonly #runs: Readonly<Record<Weight, Map<string, readonly TextRun[]>>> = { regular: new Map(), bold: new Map() }

  private constructor (more: readonly Face[]) {
    this.#more = more
  }

  /** Gets the fonts for some texts: more than DejaVu Sans only if they need it. Others may be set as well, but perhaps with escapes. */
  static async for (texts: Iterable<string>): Promise<Typesetter> {
    const base = baseFace('regular')
    const missing = new Set<number>()
    for (const text of texts) {
      if (isPlain(text)) continue
      for (const character of clean(text)) {
        const codePoint = character.codePointAt(0) as number
        if (!covers(base, codePoint)) missing.add(codePoint)
      }
    }
    // Without these fonts (an installation that left them out) there is still a report, with escapes.
    return new Typesetter(await moreFaces(missing).catch(() => []))
  }

  /** All fonts that it may use. */
  get faces (): readonly Face[] {
    return [baseFace('regular'), baseFace('bold'), ...this.#more]
  }

  /** The width of a cleaned text, in points. */
  measure (text: string, weight: Weight, size: number): number {
    // The sum of the characters' widths: laying plain text out only to measure it is slow.
    if (isPlain(text)) return plainWidth(text, weight) * size
    return this.runs(text, weight).reduce((sum, { width }) => sum + width, 0) * size
  }

  /** A function that measures text in one weight and size. */
  measurer (weight: Weight, size: number): Measure {
    return text => this.measure(text, weight, size)
  }

  /** The pieces of a cleaned line from the left to the right. */
  runs (text: string, weight: Weight): readonly TextRun[] {
    if (isPlain(text)) return [{ face: baseFace(weight), text, width: plainWidth(text, weight) }]
    let runs = this.#runs[weight].get(text)
    if (runs === undefined) this.#runs[weight].set(text, runs = this.#set(text, weight))
    return runs
  }

  /** What is seen of a cleaned text: itself, with escapes for what no font has. */
  visible (text: string, weight: Weight): string {
    return isPlain(text) ? text : this.#pieces(text, weight).map(({ text }) => text).join('')
  }

  #set (text: string, weight: Weight): TextRun[] {
    return directions(this.visible(text, weight)).flatMap(stretch => {
      const pieces = this.#pieces(stretch.text, weight)
      return (stretch.rightToLeft ? pieces.reverse() : pieces).map(piece => ({ ...piece, width: widthOf(piece.face, piece.text) }))
    })
  }

  /** Neighbouring letters of one font together; letters with their accents are never torn. */
  #pieces (text: string, weight: Weight): Array<{ face: Face, text: string }> {
    const pieces: Array<{ face: Face, text: string }> = []
    const candidates = [baseFace(weight), ...this.#more.filter(face => face.weight === weight)]
    const add = (face: Face, text: string) => {
      const last = pieces.at(-1)
      if (last?.face === face) last.text += text
      else pieces.push({ face, text })
    }
    for (const cluster of clusters(text)) {
      const characters = Array.from(cluster)
      const whole = candidates.find(face => characters.every(character => has(face, character)))
      if (whole !== undefined) {
        add(whole, cluster)
        continue
      }
      for (const character of characters) {
        if (isJoiner(character)) continue
        const face = candidates.find(face => has(face, character))
        add(face ?? candidates[0] as Face, face === undefined ? escape(character) : character)
      }
    }
    return pieces
  }
}

const advances: Readonly<Record<Weight, Map<string, number>>> = { regular: new Map(), bold: new Map() }

function plainWidth (text: string, weight: Weight): number {
  const known = advances[weight]
  let width = 0
  for (const character of text) {
    let advance = known.get(character)
    if (advance === undefined) known.set(character, advance = widthOf(baseFace(weight), character))
    width += advance
  }
  return width
}

function widthOf ({ font }: Face, text: string): number {
  return font.layout(text).advanceWidth / font.unitsPerEm
}

function has (face: Face, character: string): boolean {
  return covers(face, character.codePointAt(0) as number)
}

/** Zero width joiners and the choice between picture and text: without the font's own sequences they show nothing. */
function isJoiner (character: string): boolean {
  return /^(?:\u200c|\u200d|[\ufe00-\ufe0f])$/.test(character)
}

function escape (character: string): string {
  return `\\u{${(character.codePointAt(0) as number).toString(16).toUpperCase()}}`
}

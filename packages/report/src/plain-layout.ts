/**
 * Laying out plain text without fontkit's shaping. Nearly all text of a report is letters, digits and punctuation of scripts that
 * are set one glyph after the other; running the font's substitution and positioning tables over them took more than half of the time
 * of a whole report. It also makes widths the plain sums of advances that the boxes were measured with.
 */

/** Latin, Greek, Cyrillic, punctuation, arrows, mathematics. Anything else (combining marks, Arabic, …) is shaped by fontkit. */
const PLAIN = /^[\x20-\x7e\xa0-\u02af\u0370-\u03ff\u0400-\u0482\u048a-\u052f\u2010-\u2027\u2030-\u205e\u2190-\u22ff\ufffd]*$/

interface Glyph { readonly id: number, readonly advanceWidth: number, readonly codePoints: number[] }
interface Position {
  readonly xAdvance: number
  readonly yAdvance: number
  readonly xOffset: number
  readonly yOffset: number
  readonly advanceWidth: number
}
interface Run { readonly glyphs: Glyph[], readonly positions: Position[], readonly advanceWidth: number }

/** The inner part of PDFKit's class `EmbeddedFont` that is used here; it isn't documented, so all of it is checked first. */
interface EmbeddedFont {
  readonly scale: number
  readonly font: { glyphForCodePoint (codePoint: number): Glyph }
  layoutRun: (text: string, features?: unknown) => Run
}

/** Gives the document's current font the short way for plain text; where PDFKit has changed inside, nothing happens but that it is slower. */
export function layOutPlainly (doc: PDFKit.PDFDocument): void {
  const font = (doc as unknown as { _font?: unknown })._font
  if (!isEmbeddedFont(font)) return
  const shaped = font.layoutRun.bind(font)
  const known = new Map<number, readonly [Glyph, Position]>()
  font.layoutRun = (text, features) => {
    if (features !== undefined || !PLAIN.test(text)) return shaped(text, features)
    const run: Run & { advanceWidth: number } = { glyphs: [], positions: [], advanceWidth: 0 }
    for (let at = 0; at < text.length; at++) {
      const [glyph, position] = glyphOf(font, known, text.charCodeAt(at))
      run.glyphs.push(glyph)
      run.positions.push(position)
      run.advanceWidth += position.advanceWidth
    }
    return run
  }
}

function glyphOf (font: EmbeddedFont, known: Map<number, readonly [Glyph, Position]>, codePoint: number): readonly [Glyph, Position] {
  let entry = known.get(codePoint)
  if (entry === undefined) {
    const glyph = font.font.glyphForCodePoint(codePoint)
    const advanceWidth = glyph.advanceWidth * font.scale
    entry = [glyph, { xAdvance: advanceWidth, yAdvance: 0, xOffset: 0, yOffset: 0, advanceWidth }]
    known.set(codePoint, entry)
  }
  return entry
}

function isEmbeddedFont (value: unknown): value is EmbeddedFont {
  const font = value as Partial<EmbeddedFont> | undefined
  return typeof font?.layoutRun === 'function' && typeof font.scale === 'number' && typeof font.font?.glyphForCodePoint === 'function'
}

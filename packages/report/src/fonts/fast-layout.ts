import type { Font, Glyph, GlyphPosition, GlyphRun } from 'fontkit'

/** Latin, Greek, Cyrillic, punctuation, arrows, mathematics: set one glyph after the other. Anything else is shaped by fontkit. */
const PLAIN = /^[\x20-\x7e\xa0-\u02af\u0370-\u03ff\u0400-\u0482\u048a-\u052f\u2010-\u2027\u2030-\u205e\u2190-\u22ff\ufffd]*$/

/** Whether the widths of a text's characters sum to its width, and no character depends on its neighbours. */
export function isPlain (text: string): boolean {
  return PLAIN.test(text)
}

/** Scripts written from the right: Hebrew, Arabic, Syriac, Thaana, N'Ko and their kin. */
const RIGHT_TO_LEFT = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\u{10800}-\u{10fff}\u{1e800}-\u{1efff}]/u

export function isRightToLeft (text: string): boolean {
  return RIGHT_TO_LEFT.test(text)
}

/**
 * The same font with a short way for plain text. Nearly all text of a report is plain; running the font's substitution and positioning
 * tables over it took more than half of the time of a whole report. It also makes widths the plain sums of advances that boxes are
 * measured with. What is shaped gets its direction told: fontkit derives it from the first script it sees.
 */
export function fastLayout (font: Font): Font {
  const known = new Map<number, Glyph>()
  const glyphOf = (codePoint: number) => {
    let glyph = known.get(codePoint)
    if (glyph === undefined) known.set(codePoint, glyph = font.glyphForCodePoint(codePoint))
    return glyph
  }
  const layout = (text: string, features?: string[]): GlyphRun => {
    if (!isPlain(text)) return font.layout(text, features, undefined, undefined, isRightToLeft(text) ? 'rtl' : 'ltr')
    const glyphs = Array.from(text, character => glyphOf(character.codePointAt(0) as number))
    // PDFKit scales positions in place: they can't be shared.
    const positions = glyphs.map(({ advanceWidth }): GlyphPosition => ({ xAdvance: advanceWidth, yAdvance: 0, xOffset: 0, yOffset: 0 }))
    return { glyphs, positions, advanceWidth: glyphs.reduce((sum, { advanceWidth }) => sum + advanceWidth, 0) } as unknown as GlyphRun
  }
  return Object.create(font, { layout: { value: layout } }) as Font
}

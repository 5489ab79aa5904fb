import PDFDocument from 'pdfkit'
import type { Face } from '../fonts/face.ts'
import { isPlain } from '../fonts/fast-layout.ts'
import type { Typesetter } from '../fonts/typesetter.ts'
import type { Point } from '../layout/graph.ts'
import { clean } from '../text.ts'
import { type Area, type BoxStyle, Canvas, type CurveStyle, type GroupOptions, type LinkTarget, type TextStyle } from './canvas.ts'
import { PdfContent } from './pdf-content.ts'

/** What the document says about itself. */
export interface DocumentInfo {
  readonly title: string
  readonly subject: string
  readonly createdAt: Date
}

/** A PDF's pages may be so many units wide and high; larger ones have larger units. */
const MOST_UNITS = 14_400

/** A font as PDFKit embeds it, with the glyphs that were asked for. */
interface EmbeddedFont {
  readonly id: string
  encode (text: string, features: readonly string[]): [glyphs: string[], positions: unknown]
  ref (): object
}

interface KnownFont {
  readonly id: string
  readonly embedded: EmbeddedFont
  /** By character. */
  readonly glyphs: Map<string, string>
}

/** What PDFKit has and its types don't know. */
interface OpenDocument {
  readonly _font: EmbeddedFont
  readonly page: { readonly fonts: Record<string, object> }
  addContent (operators: string): void
}

/** A PDF: pages of any size, real text in embedded fonts, links and an outline. */
export class PdfCanvas extends Canvas {
  readonly #doc: PDFKit.PDFDocument
  readonly #chunks: Uint8Array[] = []
  readonly #done: Promise<Uint8Array>
  readonly #content = new PdfContent()
  readonly #fonts = new Map<string, KnownFont>()
  /** PDFKit knows nothing of our transformations: links and named places get the page's own coordinates. */
  #ground = { x: 0, y: 0, scale: 1 }
  #isScaled = false
  #page: PDFKit.PDFOutline | undefined

  constructor (type: Typesetter, { title, subject, createdAt }: DocumentInfo) {
    super(type)
    this.#doc = new PDFDocument({
      autoFirstPage: false,
      // Without this, PDFKit reads its Helvetica for every document.
      font: '',
      margin: 0,
      pdfVersion: '1.7',
      lang: 'en',
      displayTitle: true,
      info: {
        Title: clean(title),
        Subject: clean(subject),
        Author: 'Geordi',
        Creator: 'Geordi',
        Producer: 'Geordi, PDFKit',
        CreationDate: createdAt
      }
    })
    // PDFKit takes fonts that fontkit has opened; its types don't know.
    for (const face of type.faces) this.#doc.registerFont(fontName(face), face.font as unknown as Buffer)
    this.#done = new Promise((resolve, reject) => {
      this.#doc.on('data', (chunk: Uint8Array) => this.#chunks.push(chunk))
      this.#doc.on('end', () => resolve(Buffer.concat(this.#chunks)))
      this.#doc.on('error', reject)
    })
  }

  addPage (title: string, width: number, height: number): void {
    this.#flush()
    const unit = Math.max(1, width / MOST_UNITS, height / MOST_UNITS)
    // Its types don't know the unit.
    const page: object = { size: [width / unit, height / unit], margin: 0, userUnit: unit }
    this.#doc.addPage(page)
    this.#ground = { x: 0, y: 0, scale: 1 / unit }
    if (unit > 1) this.#content.enter({ x: 0, y: 0 }, 1 / unit)
    this.#isScaled = unit > 1
    this.#page = this.#addToOutline(this.#doc.outline, title)
  }

  /** Hands what was drawn to the page. */
  #flush (): void {
    if (this.#isScaled) this.#content.leave()
    this.#isScaled = false
    this.#write()
  }

  #write (): void {
    const operators = this.#content.take()
    if (operators !== '') (this.#doc as unknown as OpenDocument).addContent(operators)
  }

  place (name: string, x: number, y: number, title?: string): void {
    const { x: left, y: top } = this.#absolute({ x, y })
    this.#doc.addNamedDestination(name, 'XYZ', Math.max(0, left), Math.max(0, top), null)
    if (title !== undefined && this.#page !== undefined) this.#addToOutline(this.#page, title)
  }

  #absolute ({ x, y }: Point): Point {
    const { x: left, y: top, scale } = this.#ground
    return { x: left + x * scale, y: top + y * scale }
  }

  /** The whole page as the target: for a place on it, PDFKit computes the left edge wrongly. */
  #addToOutline (parent: PDFKit.PDFOutline, title: string): PDFKit.PDFOutline {
    const options: object = { fit: true, expanded: true }
    return parent.addItem(clean(title), options)
  }

  protected line (text: string, x: number, baseline: number, _: number, { font, size, colour }: Required<Omit<TextStyle, 'align'>>): void {
    let left = x
    for (const { face, text: piece, width } of this.type.runs(text, font)) {
      if (isPlain(piece)) this.#content.text(this.#glyphs(face, piece), left, baseline, this.#fontOf(face).id, size, colour)
      else this.#shaped(face, piece, left, baseline, width * size, size, colour)
      left += width * size
    }
  }

  /** Letters that depend on their neighbours are PDFKit's. */
  #shaped (face: Face, text: string, x: number, baseline: number, textWidth: number, size: number, colour: string): void {
    this.#write()
    // With features, PDFKit doesn't lay words out apart, which turns right-to-left text round; with the width, it doesn't measure again.
    const known: object = { lineBreak: false, baseline: 'alphabetic', features: [], textWidth, wordCount: 1 }
    this.#doc.font(fontName(face)).fontSize(size).fillColor(colour).text(text, x, baseline, known)
  }

  /** A plain text's glyphs one after the other, as PDFKit will embed them. */
  #glyphs (face: Face, text: string): string {
    const font = this.#fontOf(face)
    let glyphs = ''
    for (const character of text) {
      let glyph = font.glyphs.get(character)
      if (glyph === undefined) font.glyphs.set(character, glyph = font.embedded.encode(character, [])[0][0] as string)
      glyphs += glyph
    }
    return glyphs
  }

  /** A face as a font of the current page. */
  #fontOf (face: Face): KnownFont {
    const name = fontName(face)
    let font = this.#fonts.get(name)
    const doc = this.#doc as unknown as OpenDocument
    if (font === undefined) {
      this.#doc.font(name)
      this.#fonts.set(name, font = { id: doc._font.id, embedded: doc._font, glyphs: new Map() })
    }
    doc.page.fonts[font.id] ??= font.embedded.ref()
    return font
  }

  box (x: number, y: number, width: number, height: number, style: BoxStyle): void {
    this.#content.box(x, y, width, height, style)
  }

  curve (points: readonly Point[], style: CurveStyle): void {
    this.#content.curve(points, style)
  }

  polygon (points: readonly Point[], fill: string): void {
    this.#content.polygon(points, fill)
  }

  group ({ at = { x: 0, y: 0 }, scale = 1 }: GroupOptions, draw: () => void): void {
    if (at.x === 0 && at.y === 0 && scale === 1) return draw()
    const ground = this.#ground
    this.#ground = { ...this.#absolute(at), scale: ground.scale * scale }
    this.#content.enter(at, scale)
    draw()
    this.#content.leave()
    this.#ground = ground
  }

  link (target: LinkTarget, { x, y, width, height }: Area, draw: () => void): void {
    draw()
    const { scale } = this.#ground
    const corner = this.#absolute({ x, y })
    const area = [corner.x, corner.y, width * scale, height * scale] as const
    if ('url' in target) this.#doc.link(...area, target.url)
    else this.#doc.goTo(...area, target.place)
  }

  /** Ends the document and gives its bytes. Nothing can be drawn any more. */
  finish (): Promise<Uint8Array> {
    this.#flush()
    this.#doc.end()
    return this.#done
  }
}

function fontName ({ id, weight }: Face): string {
  return `${id} ${weight}`
}

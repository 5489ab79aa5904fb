import PDFDocument from 'pdfkit'
import type { Typesetter } from '../fonts/typesetter.ts'
import type { Point } from '../layout/graph.ts'
import { clean } from '../text.ts'
import { type Area, type BoxStyle, Canvas, type CurveStyle, type GroupOptions, type LinkTarget, type TextStyle } from './canvas.ts'

/** What the document says about itself. */
export interface DocumentInfo {
  readonly title: string
  readonly subject: string
  readonly createdAt: Date
}

/** A PDF's pages may be so many units wide and high; larger ones have larger units. */
const MOST_UNITS = 14_400

/** A PDF: pages of any size, real text in embedded fonts, links and an outline. */
export class PdfCanvas extends Canvas {
  readonly #doc: PDFKit.PDFDocument
  readonly #chunks: Uint8Array[] = []
  readonly #done: Promise<Uint8Array>
  /** PDFKit transforms what is drawn and links, but not named places. */
  #ground = { x: 0, y: 0, scale: 1 }
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
    for (const { id, weight, font } of type.faces) this.#doc.registerFont(`${id} ${weight}`, font as unknown as Buffer)
    this.#done = new Promise((resolve, reject) => {
      this.#doc.on('data', (chunk: Uint8Array) => this.#chunks.push(chunk))
      this.#doc.on('end', () => resolve(Buffer.concat(this.#chunks)))
      this.#doc.on('error', reject)
    })
  }

  addPage (title: string, width: number, height: number): void {
    const unit = Math.max(1, width / MOST_UNITS, height / MOST_UNITS)
    // Its types don't know the unit.
    const page: object = { size: [width / unit, height / unit], margin: 0, userUnit: unit }
    this.#doc.addPage(page)
    this.#ground = { x: 0, y: 0, scale: 1 / unit }
    if (unit > 1) this.#doc.scale(1 / unit)
    this.#page = this.#addToOutline(this.#doc.outline, title)
  }

  place (name: string, x: number, y: number, title?: string): void {
    const { x: left, y: top, scale } = this.#ground
    this.#doc.addNamedDestination(name, 'XYZ', Math.max(0, left + x * scale), Math.max(0, top + y * scale), null)
    if (title !== undefined && this.#page !== undefined) this.#addToOutline(this.#page, title)
  }

  /** The whole page as the target: for a place on it, PDFKit computes the left edge wrongly. */
  #addToOutline (parent: PDFKit.PDFOutline, title: string): PDFKit.PDFOutline {
    const options: object = { fit: true, expanded: true }
    return parent.addItem(clean(title), options)
  }

  protected line (text: string, x: number, baseline: number, _: number, { font, size, colour }: Required<Omit<TextStyle, 'align'>>): void {
    let left = x
    for (const { face, text: piece, width } of this.type.runs(text, font)) {
      const textWidth = width * size
      // With features, PDFKit doesn't lay words out apart, which turns right-to-left text round; with the width, it doesn't measure again.
      const known: object = { lineBreak: false, baseline: 'alphabetic', features: [], textWidth, wordCount: 1 }
      this.#doc.font(`${face.id} ${face.weight}`).fontSize(size).fillColor(colour).text(piece, left, baseline, known)
      left += textWidth
    }
  }

  box (x: number, y: number, width: number, height: number, { fill, stroke, line = 0.6, radius = 0, dash }: BoxStyle): void {
    const doc = this.#doc
    doc.save()
    if (radius > 0) doc.roundedRect(x, y, width, height, radius)
    else doc.rect(x, y, width, height)
    if (dash !== undefined) doc.dash(dash, { space: dash })
    if (stroke !== undefined) doc.lineWidth(line).strokeColor(stroke)
    if (fill !== undefined && stroke !== undefined) doc.fillAndStroke(fill, stroke)
    else if (fill !== undefined) doc.fill(fill)
    else doc.stroke()
    doc.restore()
  }

  curve (points: readonly Point[], { colour, line, dash }: CurveStyle): void {
    const [start, ...rest] = points
    if (start === undefined) return
    const doc = this.#doc
    doc.save().lineWidth(line).lineCap('butt')
    if (dash !== undefined) doc.dash(dash[0], { space: dash[1] })
    doc.moveTo(start.x, start.y)
    for (let at = 0; at + 2 < rest.length; at += 3) {
      const [a, b, end] = rest.slice(at, at + 3) as [Point, Point, Point]
      doc.bezierCurveTo(a.x, a.y, b.x, b.y, end.x, end.y)
    }
    doc.stroke(colour).restore()
  }

  polygon (points: readonly Point[], fill: string): void {
    this.#doc.save().polygon(...points.map(({ x, y }) => [x, y])).fill(fill).restore()
  }

  group ({ at = { x: 0, y: 0 }, scale = 1 }: GroupOptions, draw: () => void): void {
    if (at.x === 0 && at.y === 0 && scale === 1) return draw()
    const ground = this.#ground
    this.#ground = { x: ground.x + at.x * ground.scale, y: ground.y + at.y * ground.scale, scale: ground.scale * scale }
    this.#doc.save().translate(at.x, at.y).scale(scale)
    draw()
    this.#doc.restore()
    this.#ground = ground
  }

  link (target: LinkTarget, { x, y, width, height }: Area, draw: () => void): void {
    draw()
    if ('url' in target) this.#doc.link(x, y, width, height, target.url)
    else this.#doc.goTo(x, y, width, height, target.place)
  }

  /** Ends the document and gives its bytes. Nothing can be drawn any more. */
  finish (): Promise<Uint8Array> {
    this.#doc.end()
    return this.#done
  }
}

import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import PDFDocument from 'pdfkit'
import { layOutPlainly } from './plain-layout.ts'
import { clean } from './text.ts'
import { theme } from './theme.ts'

/** Regular and bold. */
export type Font = 'regular' | 'bold'

export interface TextStyle {
  readonly font?: Font
  /** Points. */
  readonly size: number
  readonly colour?: string
  /** Where `x` is in the text. @defaultValue 'left' */
  readonly align?: 'left' | 'centre' | 'right'
}

/** What the document says about itself. */
export interface DocumentInfo {
  readonly title: string
  readonly subject: string
  readonly createdAt: Date
}

/**
 * A PDF being written: pages of any size, real text in an embedded font, and shapes. The rest of the package draws through it
 * alone; every text passes `clean` here. Points, from a page's upper left corner; text is placed by its baseline.
 */
export class Canvas {
  readonly doc: PDFKit.PDFDocument
  readonly #chunks: Uint8Array[] = []
  readonly #done: Promise<Uint8Array>

  constructor ({ title, subject, createdAt }: DocumentInfo) {
    this.doc = new PDFDocument({
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
    for (const font of ['regular', 'bold'] as const) layOutPlainly(this.doc.registerFont(font, fontFile(font)).font(font))
    this.#done = new Promise((resolve, reject) => {
      this.doc.on('data', (chunk: Uint8Array) => this.#chunks.push(chunk))
      this.doc.on('end', () => resolve(Buffer.concat(this.#chunks)))
      this.doc.on('error', reject)
    })
  }

  /** Begins a page and an item of the outline that leads to it. */
  addPage (title: string, width: number, height: number): void {
    this.doc.addPage({ size: [width, height], margin: 0 })
    // Its types don't know `fit`: the whole page, which also avoids PDFKit's wrong left edge for a given place.
    const whole: object = { fit: true }
    this.doc.outline.addItem(clean(title), whole)
  }

  text (text: string, x: number, baseline: number, { font = 'regular', size, colour = theme.ink, align = 'left' }: TextStyle): void {
    const line = clean(text)
    if (line === '') return
    const width = align === 'left' ? 0 : this.measure(line, font, size)
    const start = align === 'left' ? x : align === 'right' ? x - width : x - width / 2
    this.doc.font(font).fontSize(size).fillColor(colour).text(line, start, baseline, { lineBreak: false, baseline: 'alphabetic' })
  }

  /** The width of a text that was cleaned, as the sum of its characters' widths: laying text out fully only to measure it is slow. */
  measure (text: string, font: Font, size: number): number {
    let width = 0
    for (const character of text) width += this.#advance(character, font)
    return width * size / 1000
  }

  #advance (character: string, font: Font): number {
    let width = ADVANCES[font].get(character)
    if (width === undefined) {
      width = this.doc.font(font).fontSize(1000).widthOfString(character)
      ADVANCES[font].set(character, width)
    }
    return width
  }

  /** A function that measures text in one font and size. */
  measurer (font: Font, size: number): (text: string) => number {
    return text => this.measure(text, font, size)
  }

  box (x: number, y: number, width: number, height: number, { fill, stroke, line = 0.6, radius = 0, dash }:
  { fill?: string, stroke?: string, line?: number, radius?: number, dash?: number }): void {
    const { doc } = this
    doc.save().roundedRect(x, y, width, height, radius)
    if (dash !== undefined) doc.dash(dash, { space: dash })
    if (stroke !== undefined) doc.lineWidth(line).strokeColor(stroke)
    if (fill !== undefined && stroke !== undefined) doc.fillAndStroke(fill, stroke)
    else if (fill !== undefined) doc.fill(fill)
    else doc.stroke()
    doc.restore()
  }

  rule (x: number, y: number, width: number, { colour = theme.rule, line = 0.6 } = {}): void {
    this.doc.save().moveTo(x, y).lineTo(x + width, y).lineWidth(line).stroke(colour).restore()
  }

  /** Ends the document and gives its bytes. Nothing can be drawn any more. */
  finish (): Promise<Uint8Array> {
    this.doc.end()
    return this.#done
  }
}

/** Widths of characters at 1000 points: they are the fonts', whichever the document. */
const ADVANCES: Readonly<Record<Font, Map<string, number>>> = { regular: new Map(), bold: new Map() }

const FONT_FILES: Readonly<Record<Font, string>> = { regular: 'DejaVuSans.ttf', bold: 'DejaVuSans-Bold.ttf' }

const files = new Map<Font, Buffer>()

/** PDFKit's own fonts know Latin-1 only: anything else would come out as other letters. */
function fontFile (font: Font): Buffer {
  let bytes = files.get(font)
  if (bytes === undefined) {
    bytes = readFileSync(createRequire(import.meta.url).resolve(`dejavu-fonts-ttf/ttf/${FONT_FILES[font]}`))
    files.set(font, bytes)
  }
  return bytes
}

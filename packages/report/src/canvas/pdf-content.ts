import type { Point } from '../layout/graph.ts'
import type { BoxStyle, CurveStyle } from './canvas.ts'

/** Control points of a quarter of a circle, from its corner, as a share of the radius. */
const CORNER = 1 - 4 * (Math.SQRT2 - 1) / 3

/**
 * The operators of a page's content (ISO 32000-1, annex A), y downwards. PDFKit's own way, which makes bytes of each operator by itself and sets every
 * colour anew, takes four times as long.
 */
export class PdfContent {
  readonly #operators: string[] = []
  /** What is set already; it is unknown at first and after {@link take}. */
  #fill: string | undefined
  #stroke: string | undefined
  #line: number | undefined

  box (x: number, y: number, width: number, height: number, { fill, stroke, line = 0.6, radius = 0, dash }: BoxStyle): void {
    if (fill !== undefined) this.#setFill(fill)
    if (stroke !== undefined) this.#setStroke(stroke, line)
    const dashes = dash === undefined ? '' : `[${number(dash)}] 0 d `
    const path = radius > 0 ? rounded(x, y, width, height, radius) : `${number(x)} ${number(y)} ${number(width)} ${number(height)} re`
    const paint = fill === undefined ? 'S' : stroke === undefined ? 'f' : 'B'
    this.#operators.push(`${dashes}${path} ${paint}${dash === undefined ? '' : ' [] 0 d'}`)
  }

  curve ([start, ...rest]: readonly Point[], { colour, line, dash }: CurveStyle): void {
    if (start === undefined) return
    this.#setStroke(colour, line)
    const dashes = dash === undefined ? '' : `[${dash.map(number).join(' ')}] 0 d `
    let path = `${point(start)} m`
    for (let at = 0; at + 2 < rest.length; at += 3) {
      const [a, b, end] = [rest[at], rest[at + 1], rest[at + 2]] as [Point, Point, Point]
      path += ` ${point(a)} ${point(b)} ${point(end)} c`
    }
    this.#operators.push(`${dashes}${path} S${dash === undefined ? '' : ' [] 0 d'}`)
  }

  polygon (points: readonly Point[], fill: string): void {
    this.#setFill(fill)
    this.#operators.push(`${points.map((at, index) => `${point(at)} ${index === 0 ? 'm' : 'l'}`).join(' ')} h f`)
  }

  /** @param glyphs In the font's own numbers, four hexadecimal digits each. */
  text (glyphs: string, x: number, baseline: number, font: string, size: number, colour: string): void {
    this.#setFill(colour)
    this.#operators.push(`BT /${font} ${number(size)} Tf 1 0 0 -1 ${number(x)} ${number(baseline)} Tm <${glyphs}> Tj ET`)
  }

  /** What follows has its origin at a place, and is larger by a factor, until {@link leave}. */
  enter ({ x, y }: Point, scale: number): void {
    this.#operators.push(`q ${number(scale)} 0 0 ${number(scale)} ${number(x)} ${number(y)} cm`)
  }

  leave (): void {
    this.#operators.push('Q')
    this.#forget()
  }

  /** The operators so far, which are no more its own: others may follow. */
  take (): string {
    this.#forget()
    return this.#operators.splice(0).join('\n')
  }

  #forget (): void {
    this.#fill = this.#stroke = this.#line = undefined
  }

  #setFill (colour: string): void {
    if (colour === this.#fill) return
    this.#fill = colour
    this.#operators.push(`${rgb(colour)} rg`)
  }

  #setStroke (colour: string, line: number): void {
    if (colour !== this.#stroke) this.#operators.push(`${rgb(colour)} RG`)
    if (line !== this.#line) this.#operators.push(`${number(line)} w`)
    this.#stroke = colour
    this.#line = line
  }
}

/** A thousandth of a point, and never an exponent, which PDF doesn't know. */
function number (value: number): string {
  return String(Math.round(value * 1000) / 1000)
}

function point ({ x, y }: Point): string {
  return `${number(x)} ${number(y)}`
}

function rgb (colour: string): string {
  return [1, 3, 5].map(at => number(Number.parseInt(colour.slice(at, at + 2), 16) / 255)).join(' ')
}

function rounded (x: number, y: number, width: number, height: number, radius: number): string {
  const r = Math.min(radius, width / 2, height / 2)
  const c = r * CORNER
  const [right, bottom] = [x + width, y + height]
  const curve = (...values: number[]) => `${values.map(number).join(' ')} c`
  const line = (...values: number[]) => `${values.map(number).join(' ')} l`
  return [
    `${number(x + r)} ${number(y)} m`,
    line(right - r, y), curve(right - c, y, right, y + c, right, y + r),
    line(right, bottom - r), curve(right, bottom - c, right - c, bottom, right - r, bottom),
    line(x + r, bottom), curve(x + c, bottom, x, bottom - c, x, bottom - r),
    line(x, y + r), curve(x, y + c, x + c, y, x + r, y),
    'h'
  ].join(' ')
}

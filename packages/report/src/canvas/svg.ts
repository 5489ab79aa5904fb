import { covers, type Face, type Weight } from '../fonts/face.ts'
import { isPlain } from '../fonts/fast-layout.ts'
import { cutFace } from '../fonts/more-faces.ts'
import type { Typesetter } from '../fonts/typesetter.ts'
import type { Point } from '../layout/graph.ts'
import { clean } from '../text.ts'
import { theme } from '../theme.ts'
import { type Area, type BoxStyle, Canvas, type CurveStyle, type GroupOptions, type LinkTarget, type TextStyle } from './canvas.ts'

/**
 * An SVG of one page: shapes, real text, tooltips, links, no script. It needs nothing but itself: the letters it uses are in it, as
 * fonts.
 */
export class SvgCanvas extends Canvas {
  readonly #title: string
  readonly #parts: string[] = []
  readonly #letters: Readonly<Record<Weight, Set<string>>> = { regular: new Set(), bold: new Set() }
  #size = { width: 0, height: 0 }

  constructor (type: Typesetter, title: string) {
    super(type)
    this.#title = title
  }

  addPage (_: string, width: number, height: number): void {
    this.#size = { width, height }
  }

  place (): void {}

  protected line (text: string, x: number, baseline: number, width: number, { font, size, colour }: Required<Omit<TextStyle, 'align'>>): void {
    const seen = this.type.visible(text, font)
    for (const letter of seen) this.#letters[font].add(letter)
    // Where a viewer has other fonts, the letters are squeezed or spread to the place that was measured.
    const room = isPlain(seen) ? ` textLength="${round(width)}" lengthAdjust="spacingAndGlyphs"` : ''
    const bold = font === 'bold' ? ' font-weight="700"' : ''
    this.#parts.push(`<text x="${round(x)}" y="${round(baseline)}" font-size="${round(size)}"${bold} fill="${colour}"${room}>${escape(seen)}</text>`)
  }

  box (x: number, y: number, width: number, height: number, { fill = 'none', stroke, line = 0.6, radius = 0, dash }: BoxStyle): void {
    const edge = stroke === undefined ? '' : ` stroke="${stroke}" stroke-width="${line}"`
    const dashes = dash === undefined ? '' : ` stroke-dasharray="${dash}"`
    const round_ = radius === 0 ? '' : ` rx="${radius}"`
    this.#parts.push(`<rect x="${round(x)}" y="${round(y)}" width="${round(width)}" height="${round(height)}"${round_} fill="${fill}"${edge}${dashes}/>`)
  }

  curve (points: readonly Point[], { colour, line, dash }: CurveStyle): void {
    const [start, ...rest] = points
    if (start === undefined) return
    const dashes = dash === undefined ? '' : ` stroke-dasharray="${dash.map(round).join(' ')}"`
    this.#parts.push(`<path d="M${pair(start)}C${rest.map(pair).join(' ')}" fill="none" stroke="${colour}" stroke-width="${round(line)}"${dashes}/>`)
  }

  polygon (points: readonly Point[], fill: string): void {
    this.#parts.push(`<path d="M${points.map(pair).join('L')}Z" fill="${fill}"/>`)
  }

  group ({ at = { x: 0, y: 0 }, scale = 1, tooltip }: GroupOptions, draw: () => void): void {
    const moved = at.x === 0 && at.y === 0 ? '' : `translate(${pair(at)})`
    const scaled = scale === 1 ? '' : `scale(${round(scale)})`
    const transform = moved + scaled === '' ? '' : ` transform="${moved}${scaled}"`
    this.#parts.push(`<g${transform}>${tooltip === undefined ? '' : titleElement(tooltip)}`)
    draw()
    this.#parts.push('</g>')
  }

  link (target: LinkTarget, _: Area, draw: () => void): void {
    if (!('url' in target)) return draw()
    this.#parts.push(`<a href="${escape(target.url)}" target="_blank">`)
    draw()
    this.#parts.push('</a>')
  }

  /** The finished document, as text. */
  async finish (): Promise<string> {
    const { width, height } = this.#size
    const families = Array.from(new Set(this.type.faces.map(({ id }) => family(id))))
    const style = `text{font-family:${families.map(name => `"${name}"`).join(',')},"DejaVu Sans",Verdana,sans-serif;font-kerning:none;` +
      'font-variant-ligatures:none;white-space:pre}'
    const fonts = await Promise.all(this.type.faces.map(face => fontFace(face, this.#letters[face.weight])))
    return '<?xml version="1.0" encoding="UTF-8"?>\n' +
      `<svg xmlns="http://www.w3.org/2000/svg" width="${round(width)}" height="${round(height)}" viewBox="0 0 ${round(width)} ${round(height)}" ` +
      `role="img">${titleElement(this.#title)}<style>${fonts.join('')}${style}</style>\n` +
      `<rect width="100%" height="100%" fill="${theme.paper}"/>\n${this.#parts.join('\n')}\n</svg>\n`
  }
}

/** A font with just the letters that are used, in the document itself; `''` where there are none. */
async function fontFace (face: Face, letters: ReadonlySet<string>): Promise<string> {
  const own = Array.from(letters).filter(letter => covers(face, letter.codePointAt(0) as number))
  if (own.length === 0) return ''
  const font = await cutFace(face, own.join(''))
  const weight = face.weight === 'bold' ? 700 : 400
  return `@font-face{font-family:"${family(face.id)}";font-weight:${weight};src:url(data:font/ttf;base64,${font.toString('base64')})}`
}

function family (id: string): string {
  return `Geordi ${id}`
}

/** Lines of a tooltip are cleaned one by one. */
function titleElement (text: string): string {
  return `<title>${text.split('\n').map(line => escape(clean(line))).join('\n')}</title>`
}

/** Text that was cleaned has none of the characters that XML can't carry, but U+FFFE and U+FFFF. */
function escape (text: string): string {
  return text.replace(/[\ufffe\uffff]/g, '\uFFFD').replace(/[&<>"']/g, character => `&#${character.charCodeAt(0)};`)
}

function pair ({ x, y }: Point): string {
  return `${round(x)},${round(y)}`
}

function round (value: number): number {
  return Math.round(value * 100) / 100
}

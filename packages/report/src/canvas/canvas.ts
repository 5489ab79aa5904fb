import type { Weight } from '../fonts/face.ts'
import type { Typesetter } from '../fonts/typesetter.ts'
import type { Point } from '../layout/graph.ts'
import { clean, type Measure } from '../text.ts'
import { theme } from '../theme.ts'

export interface TextStyle {
  readonly font?: Weight
  /** Points. */
  readonly size: number
  readonly colour?: string
  /** Where `x` is in the text. @defaultValue 'left' */
  readonly align?: 'left' | 'centre' | 'right'
}

export interface BoxStyle {
  readonly fill?: string
  readonly stroke?: string
  /** Width of the stroke. @defaultValue 0.6 */
  readonly line?: number
  readonly radius?: number
  /** Length of dashes and of the gaps between them. */
  readonly dash?: number
}

export interface CurveStyle {
  readonly colour: string
  readonly line: number
  readonly dash?: readonly [dash: number, gap: number]
}

/** What a group of shapes is. */
export interface GroupOptions {
  /** Where the group's own origin is. @defaultValue the origin as it is */
  readonly at?: Point
  /** @defaultValue 1 */
  readonly scale?: number
  /** What a pointer that rests on it is told, where the medium can. */
  readonly tooltip?: string
}

/** An area that leads somewhere. */
export interface Area {
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

/** Where a link leads: to a URL, or to a named place of the same document. */
export type LinkTarget = { readonly url: string } | { readonly place: string }

/**
 * What the pages draw on; a PDF and an SVG are two of them. Every text passes `clean` here, and is set with the typesetter's fonts. Points,
 * from the upper left corner; text is placed by its baseline.
 */
export abstract class Canvas {
  readonly type: Typesetter

  constructor (type: Typesetter) {
    this.type = type
  }

  /** Begins a page. What is drawn next is on it. */
  abstract addPage (title: string, width: number, height: number): void

  abstract box (x: number, y: number, width: number, height: number, style: BoxStyle): void

  /** A chain of cubic Bézier curves: a start, then two control points and an end for each. */
  abstract curve (points: readonly Point[], style: CurveStyle): void

  abstract polygon (points: readonly Point[], fill: string): void

  /** Draws shapes that are one thing, on a ground of their own. */
  abstract group (options: GroupOptions, draw: () => void): void

  /** Draws what leads somewhere; media that don't know the kind of target only draw it. */
  abstract link (target: LinkTarget, area: Area, draw: () => void): void

  /** Gives a place a name for links; in the outline as well, where `title` is given. */
  abstract place (name: string, x: number, y: number, title?: string): void

  protected abstract line (text: string, x: number, baseline: number, width: number, style: Required<Omit<TextStyle, 'align'>>): void

  text (text: string, x: number, baseline: number, { font = 'regular', size, colour = theme.ink, align = 'left' }: TextStyle): void {
    const line = clean(text)
    if (line === '') return
    const width = this.measure(line, font, size)
    const start = align === 'left' ? x : align === 'right' ? x - width : x - width / 2
    this.line(line, start, baseline, width, { font, size, colour })
  }

  rule (x: number, y: number, width: number, { colour = theme.rule, line = 0.6 } = {}): void {
    this.curve([{ x, y }, { x, y }, { x: x + width, y }, { x: x + width, y }], { colour, line })
  }

  /** The width of a text that was cleaned. */
  measure (text: string, font: Weight, size: number): number {
    return this.type.measure(text, font, size)
  }

  measurer (font: Weight, size: number): Measure {
    return this.type.measurer(font, size)
  }
}

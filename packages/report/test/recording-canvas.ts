import { Canvas, type BoxStyle, type CurveStyle, type GroupOptions, type LinkTarget, type TextStyle } from '../src/canvas/canvas.ts'
import type { Point } from '../src/layout/graph.ts'
import { theme } from '../src/theme.ts'

export interface Rectangle { readonly left: number, readonly top: number, readonly right: number, readonly bottom: number }

export interface DrawnText extends Rectangle {
  readonly text: string
  readonly size: number
  readonly colour: string
  /** The colour of what was drawn last below its middle. */
  readonly ground: string
}

export interface DrawnBox extends Rectangle { readonly fill: string | undefined }

export interface DrawnPage {
  readonly title: string
  readonly width: number
  readonly height: number
  readonly texts: DrawnText[]
  readonly boxes: DrawnBox[]
  readonly places: string[]
  readonly targets: LinkTarget[]
}

/** Remembers what is drawn, in the page's own points. */
export class RecordingCanvas extends Canvas {
  readonly pages: DrawnPage[] = []
  #ground = { x: 0, y: 0, scale: 1 }

  get #page (): DrawnPage {
    return this.pages.at(-1) as DrawnPage
  }

  addPage (title: string, width: number, height: number): void {
    this.pages.push({ title, width, height, texts: [], boxes: [], places: [], targets: [] })
  }

  box (x: number, y: number, width: number, height: number, { fill }: BoxStyle): void {
    this.#page.boxes.push({ ...this.#area(x, y, width, height), fill })
  }

  curve (_: readonly Point[], __: CurveStyle): void {}

  polygon (): void {}

  group ({ at = { x: 0, y: 0 }, scale = 1 }: GroupOptions, draw: () => void): void {
    const ground = this.#ground
    this.#ground = { x: ground.x + at.x * ground.scale, y: ground.y + at.y * ground.scale, scale: ground.scale * scale }
    draw()
    this.#ground = ground
  }

  link (target: LinkTarget, _: unknown, draw: () => void): void {
    this.#page.targets.push(target)
    draw()
  }

  place (name: string): void {
    this.#page.places.push(name)
  }

  protected line (text: string, x: number, baseline: number, width: number, { size, colour }: Required<Omit<TextStyle, 'align'>>): void {
    // Capital letters reach 0.73 of their size above the baseline, and tails 0.24 below it.
    const area = this.#area(x, baseline - 0.73 * size, width, 0.97 * size)
    const middle = { x: (area.left + area.right) / 2, y: (area.top + area.bottom) / 2 }
    const below = this.#page.boxes.findLast(({ fill, left, top, right, bottom }) => fill !== undefined &&
      left <= middle.x && right >= middle.x && top <= middle.y && bottom >= middle.y)
    this.#page.texts.push({ text, ...area, size: size * this.#ground.scale, colour, ground: below?.fill ?? theme.paper })
  }

  #area (x: number, y: number, width: number, height: number): Rectangle {
    const { x: left, y: top, scale } = this.#ground
    return { left: left + x * scale, top: top + y * scale, right: left + (x + width) * scale, bottom: top + (y + height) * scale }
  }
}

/** Pairs that lie on each other by more than a hair. */
export function overlaps<T extends Rectangle> (items: readonly T[]): Array<readonly [T, T]> {
  const hair = 0.3
  return items.flatMap((a, at) => items.slice(at + 1)
    .filter(b => a.left < b.right - hair && b.left < a.right - hair && a.top < b.bottom - hair && b.top < a.bottom - hair)
    .map(b => [a, b] as const))
}

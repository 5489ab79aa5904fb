import type { Canvas } from '../canvas/canvas.ts'
import type { Weight } from '../fonts/face.ts'
import { theme } from '../theme.ts'

export const HEADING_HEIGHT = 24

/** A heading with a rule above it. Returns the baseline below which its section begins. */
export function heading (canvas: Canvas, text: string, aside: string, x: number, y: number, width: number): number {
  canvas.rule(x, y, width)
  canvas.text(text, x, y + 15, { font: 'bold', size: theme.text.heading })
  canvas.text(aside, x + width, y + 15, { size: theme.text.small, colour: theme.muted, align: 'right' })
  return y + HEADING_HEIGHT
}

export function footer (canvas: Canvas, width: number, height: number, page: string): void {
  const { margin } = theme.page
  canvas.text('Geordi', margin, height - 22, { font: 'bold', size: theme.text.small, colour: theme.muted })
  canvas.text(page, width - margin, height - 22, { size: theme.text.small, colour: theme.muted, align: 'right' })
}

const LINE_HEIGHT = theme.text.body * 1.45

export function noteBoxHeight (lines: readonly string[]): number {
  return lines.length * LINE_HEIGHT + 11
}

/** Sentences on a grey ground. Returns the y below. */
export function noteBox (canvas: Canvas, lines: readonly string[], x: number, y: number, width: number, font: Weight = 'regular'): number {
  const height = noteBoxHeight(lines)
  canvas.box(x, y, width, height, { fill: theme.shade, radius: 3 })
  canvas.box(x, y, 3, height, { fill: theme.critical })
  lines.forEach((line, at) => canvas.text(line, x + 12, y + 5 + 0.95 * theme.text.body + at * LINE_HEIGHT, { font, size: theme.text.body }))
  return y + height
}

import type { Canvas } from '../canvas/canvas.ts'
import type { Content } from '../content.ts'
import { type BarPart, theme } from '../theme.ts'
import type { Scale } from './timeline-bars.ts'
import { labelOfPart } from './wall-time.ts'

const COLUMN = 1.5
/** From below. */
const ORDER: readonly BarPart[] = ['app', 'dependency', 'node', 'native', 'program', 'gc', 'recording']

/** For each moment which part of the processor's time went to what; what is left white is waiting. */
export function drawBusy (canvas: Canvas, { look, recording: { tree, samples } }: Content, scale: Scale, top: number, height: number): void {
  const columns = Math.max(1, Math.floor(scale.width / COLUMN))
  const each = scale.time / columns
  const parts = look.profile.frames.map(({ name, url }, frame) => ORDER.indexOf(url === '' && name === '(recording)' ? 'recording' : look.kinds[frame] as BarPart))
  const sums = ORDER.map(() => new Float64Array(columns))
  let time = 0
  samples.node.forEach((node, at) => {
    const duration = samples.duration[at] as number
    const sum = sums[parts[tree.frame[node] as number] as number]
    const end = time + duration
    if (sum !== undefined) {
      for (let column = Math.floor(time / each); column < columns && column * each < end; column++) {
        sum[column] = (sum[column] as number) + Math.min(end, (column + 1) * each) - Math.max(time, column * each)
      }
    }
    time = end
  })
  const wide = scale.width / columns
  canvas.box(scale.x, top, scale.width, height, { fill: theme.shade })
  for (let column = 0; column < columns; column++) {
    let y = top + height
    ORDER.forEach((part, at) => {
      const high = Math.min(1, (sums[at] as Float64Array)[column] as number / each) * height
      if (high < 0.1) return
      y -= high
      // A hair wider: no paper between neighbours.
      canvas.box(scale.x + column * wide, y, Math.min(wide + 0.15, scale.width - column * wide), high, { fill: theme.bar[part] })
    })
  }
}

/** What the colours of the processor's lane are. */
export function drawBusyLegend (canvas: Canvas, content: Content, x: number, baseline: number): void {
  let left = x
  for (const { part } of content.wall.parts.filter(({ part }) => ORDER.includes(part))) {
    const name = labelOfPart(content, part)
    canvas.box(left, baseline - 6, 7, 7, { fill: theme.bar[part], stroke: theme.muted, line: 0.4 })
    canvas.text(name, left + 10, baseline, { size: theme.text.small })
    left += canvas.measure(name, 'regular', theme.text.small) + 24
  }
}

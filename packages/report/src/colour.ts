import { theme } from './theme.ts'

type Rgb = readonly [number, number, number]

/** The fill for a share of total time. The root makes the many small shares distinguishable. */
export function heat (share: number): string {
  return ramp(theme.heat, Math.sqrt(Math.min(1, Math.max(0, share))))
}

/** The colour of text on a fill: the better readable of the theme's two. */
export function textOn (fill: string): string {
  const [dark, light] = theme.onFill
  return contrast(dark, fill) >= contrast(light, fill) ? dark : light
}

/** The colour between two or more, at a place from 0 to 1. */
export function ramp (stops: readonly string[], at: number): string {
  const place = at * (stops.length - 1)
  const from = parse(stops[Math.floor(place)] as string)
  const to = parse(stops[Math.ceil(place)] as string)
  const mix = from.map((value, channel) => Math.round(value + (to[channel] as number - value) * (place % 1)))
  return `#${mix.map(value => value.toString(16).padStart(2, '0')).join('')}`
}

/** The contrast of two colours, 1 to 21: https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio */
export function contrast (a: string, b: string): number {
  const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y) as [number, number]
  return (high + 0.05) / (low + 0.05)
}

/** Relative luminance, 0 to 1. */
export function luminance (colour: string): number {
  const [red, green, blue] = parse(colour).map(value => {
    const share = value / 255
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4
  }) as [number, number, number]
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue
}

function parse (colour: string): Rgb {
  const number = Number.parseInt(colour.slice(1), 16)
  return [number >> 16, number >> 8 & 255, number & 255]
}

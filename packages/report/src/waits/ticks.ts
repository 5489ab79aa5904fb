/** Marks of an axis. */
export interface Ticks {
  /** Microseconds between two. */
  readonly step: number
  readonly labels: readonly string[]
}

const UNITS = [{ unit: 'µs', size: 1 }, { unit: 'ms', size: 1e3 }, { unit: 's', size: 1e6 }] as const

/** Even marks from 0 on at 1, 2 or 5 of a power of ten, minutes at those of a clock; at most so many of them. */
export function ticksOf (time: number, most: number): Ticks {
  const step = stepOf(time / most)
  if (step >= 60e6) return { step, labels: labels(time, step, value => `${value / 60e6} min`) }
  // All in one unit, that of the whole: `0.5 s`, `1 s`.
  const { unit, size } = UNITS.findLast(({ size }) => time >= size) ?? UNITS[0]
  return { step, labels: labels(time, step, value => value === 0 ? '0' : `${Number((value / size).toPrecision(6))} ${unit}`) }
}

function stepOf (least: number): number {
  if (!(least > 0)) return 1
  if (least > 50e6) return ([1, 2, 5, 10, 15, 30, 60, 120, 240, 480, 1440].find(minutes => minutes * 60e6 >= least) ?? Math.ceil(least / 86_400e6) * 1440) * 60e6
  const power = 10 ** Math.floor(Math.log10(least))
  return ([1, 2, 5, 10].find(factor => factor * power >= least) ?? 10) * power
}

function labels (time: number, step: number, label: (value: number) => string): string[] {
  return Array.from({ length: Math.floor(time / step + 1e-9) + 1 }, (_, at) => label(at * step))
}

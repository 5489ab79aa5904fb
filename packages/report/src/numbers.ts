/** A time in words of at most three digits: `0.42 ms`, `37.1 ms`, `1.23 s`, `2 min 5 s`. Takes microseconds. */
export function formatTime (microseconds: number): string {
  if (microseconds > 0 && microseconds < 0.5) return '<0.001 ms'
  if (microseconds < 999_500) return `${digits(microseconds / 1000)} ms`
  if (microseconds < 99_950_000) return `${digits(microseconds / 1e6)} s`
  const seconds = Math.round(microseconds / 1e6)
  const minutes = Math.floor(seconds / 60)
  if (minutes < 60) return `${minutes} min ${seconds % 60} s`
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`
}

/** A share as a percentage of at most three digits: `57.3%`, `4.0%`, `<0.1%`. */
export function formatShare (share: number): string {
  const percent = share * 100
  if (percent === 0) return '0%'
  if (percent < 0.1) return '<0.1%'
  return percent > 99.94 ? '100%' : `${percent.toFixed(1)}%`
}

/** A share where there is little room: two digits, `57%`, `4.0%`, `0.3%`. */
export function formatShortShare (share: number): string {
  return share < 0.0995 ? formatShare(share) : `${Math.round(share * 100)}%`
}

const GROUPED = new Intl.NumberFormat('en-US')

/** A count with its digits in groups: `2,471`. */
export function formatCount (count: number): string {
  return GROUPED.format(count)
}

/** `1 function`, `2 functions`. */
export function plural (count: number, noun: string): string {
  return `${formatCount(count)} ${noun}${count === 1 ? '' : 's'}`
}

/** `once`, `2,471 times`. */
export function formatTimes (count: number): string {
  return count === 1 ? 'once' : `${formatCount(count)} times`
}

/** How often something was waited for, and how long at the most: `once: 0.42 ms`, `6 times, up to 531 ms`. Takes microseconds. */
export function timesUpTo (count: number, longest: number): string {
  return `${formatTimes(count)}${count === 1 ? ':' : ', up to'} ${formatTime(longest)}`
}

/** Bytes in decimal units: `512 B`, `3.4 kB`. */
export function formatBytes (bytes: number): string {
  if (bytes < 1000) return `${bytes} B`
  return bytes < 1e6 ? `${digits(bytes / 1e3)} kB` : `${digits(bytes / 1e6)} MB`
}

/** A moment in milliseconds since 1970: `2026-11-23 08:24:45 UTC`. */
export function formatMoment (milliseconds: number): string {
  const date = new Date(milliseconds)
  return Number.isNaN(date.getTime()) ? 'unknown' : `${date.toISOString().slice(0, 19).replace('T', ' ')} UTC`
}

function digits (value: number): string {
  if (value === 0) return '0'
  if (value < 9.995) return value.toFixed(value < 0.01 ? 3 : 2)
  return value.toFixed(value < 99.95 ? 1 : 0)
}

import { BoxError } from '../errors.ts'

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }

/**
 * Milliseconds of a number, or of a text with a unit: `'500ms'`, `'1.5s'`, `'2m'`, `'1h'`.
 * @throws BoxError `GEORDI_BOX_BAD_OPTION`; `what` tells which
 */
export function parseDuration (value: unknown, what: string): number {
  const milliseconds = typeof value === 'string' ? parseText(value) : value
  if (typeof milliseconds !== 'number' || !(milliseconds > 0)) {
    throw new BoxError('GEORDI_BOX_BAD_OPTION', `${what} takes milliseconds, more than 0, or a text such as '500ms', '20s' or '2m', not ${String(value)}.`)
  }
  return milliseconds
}

function parseText (text: string): number {
  const [, digits, unit] = /^(\d+(?:\.\d+)?) ?(ms|s|m|h)$/.exec(text) ?? []
  return Number(digits) * (UNITS[unit ?? ''] ?? NaN)
}

/** Longest text, in UTF-16 units, that is looked at: names come from the profiled program and may be of any length. */
const LONGEST = 600

/**
 * Text that is safe to put on a page: one line, well-formed, without control characters and without the invisible ones that turn
 * the direction of what follows. Very long text loses its middle.
 */
export function clean (text: string): string {
  const short = text.length > LONGEST ? `${text.slice(0, LONGEST / 2)}…${text.slice(-LONGEST / 2)}` : text
  return short
    .replace(/\s+/gu, ' ')
    // Controls, formatting (bidi overrides, zero widths) and halves of surrogate pairs.
    .replace(/[\p{Cc}\p{Cf}\p{Surrogate}]/gu, '\uFFFD')
    .trim()
}

const CLUSTERS = new Intl.Segmenter('en', { granularity: 'grapheme' })

/** Tells how wide a piece of text is, in points. */
export type Measure = (text: string) => number

/**
 * The text if it is at most so wide, else its start and end with `…` between them. Letters with accents and other clusters aren't torn.
 *
 * @param tail The share of the room that the end gets.
 */
export function elide (text: string, width: number, measure: Measure, tail = 0.5): string {
  const whole = clean(text)
  if (measure(whole) <= width) return whole
  const parts = Array.from(CLUSTERS.segment(whole), ({ segment }) => segment)
  const room = width - measure('…')
  const end = takeWhile(parts.toReversed(), room * tail, measure).reverse().join('')
  const start = takeWhile(parts, room - measure(end), measure).join('')
  return `${start.trimEnd()}…${end.trimStart()}`
}

function takeWhile (parts: readonly string[], room: number, measure: Measure): string[] {
  const taken: string[] = []
  for (const part of parts) {
    room -= measure(part)
    if (room < 0) break
    taken.push(part)
  }
  return taken
}

/** The words of a text in lines of at most that width; words that are wider are cut where they must be. */
export function wrap (text: string, width: number, measure: Measure): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of clean(text).split(' ')) {
    const longer = line === '' ? word : `${line} ${word}`
    if (measure(longer) <= width) {
      line = longer
      continue
    }
    if (line !== '') lines.push(line)
    line = word
    while (measure(line) > width) {
      const fits = takeWhile(Array.from(line), width, measure).join('') || line.charAt(0)
      lines.push(fits)
      line = line.slice(fits.length)
    }
  }
  return line === '' ? lines : [...lines, line]
}

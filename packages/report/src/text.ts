/** Longest text, in UTF-16 units, that is looked at: names come from the profiled program and may be of any length. */
const LONGEST = 600

/** Zero width joiners that belong: between pictures, and after letters of scripts that need them. */
const JOINERS = '(?<=[\\p{Extended_Pictographic}\\p{Emoji_Modifier}\\ufe0f])\\u200d(?=\\p{Extended_Pictographic})|(?<=[\\u0600-\\u0dff])[\\u200c\\u200d]'

/** Controls, formatting (bidi overrides, zero widths) and halves of surrogate pairs. */
const UNSAFE = new RegExp(`(?!${JOINERS})[\\p{Cc}\\p{Cf}\\p{Surrogate}]`, 'gu')

/**
 * Text that is safe to put on a page: one line, well-formed, without control characters and without the invisible ones that turn
 * the direction of what follows. Very long text loses its middle.
 */
export function clean (text: string): string {
  const short = text.length > LONGEST ? `${text.slice(0, LONGEST / 2)}…${text.slice(-LONGEST / 2)}` : text
  return short
    // Accents on their letters: fonts have most of them as one letter, and readers search for it.
    .normalize('NFC')
    .replace(/\s+/gu, ' ')
    .replace(UNSAFE, '\uFFFD')
    .trim()
}

const CLUSTERS = new Intl.Segmenter('en', { granularity: 'grapheme' })

/** What a reader takes for one letter: with its accents, or a picture of several characters. */
export function clusters (text: string): string[] {
  return Array.from(CLUSTERS.segment(text), ({ segment }) => segment)
}

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
  const parts = clusters(whole)
  const room = width - measure('…')
  const end = takeWhile(parts.toReversed(), room * tail, measure).reverse()
  const start = takeWhile(parts, room - measure(end.join('')), measure)
  for (;;) {
    const text = `${start.join('').trimEnd()}…${end.join('').trimStart()}`
    // Letters that join change their widths: the sum of their widths was only near.
    if (start.length === 0 || measure(text) <= width) return text
    start.pop()
  }
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

/** Parts of a name that may end a line: before a capital letter, and after punctuation. */
const NAME_PARTS = /(?<=\p{Ll})(?=\p{Lu})|(?<=[._\-/:#$])/u

/** The words of a text in lines of at most that width; words that are wider are cut between their parts, or where they must be. */
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
      const most = takeWhile(clusters(line), width, measure).join('') || clusters(line)[0] as string
      const parts = takeWhile(line.split(NAME_PARTS), width, measure).join('')
      // A line that ends between two parts, unless it would be nearly empty.
      const fits = parts.length > most.length / 2 ? parts : most
      lines.push(fits)
      line = line.slice(fits.length)
    }
  }
  return line === '' ? lines : [...lines, line]
}

/** The text in at most so many lines; of a longer one the middle is left out. */
export function wrapWithin (text: string, width: number, most: number, measure: Measure): string[] {
  const whole = wrap(text, width, measure)
  if (whole.length <= most) return whole
  // Lines end where words end, so less fits than their widths' sum: how much less is to be tried.
  for (let room = most - 0.5; room > 1; room -= 0.2) {
    const lines = wrap(elide(text, room * width, measure), width, measure)
    if (lines.length <= most) return lines
  }
  return [elide(text, width, measure)]
}

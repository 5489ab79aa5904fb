import { crew } from '../seed-data.ts'
import { Stopwatch } from '../stopwatch.ts'

/** Words with single spaces between them. Looks harmless, but a word can be cut into words in 2ⁿ ways, and a «no» tries them all. */
const plainText = /^(\w+\s?)+$/

/** The crew whose name holds `q`, which must be plain text, as those names must. */
export function searchCrew (q: string) {
  const matching = new Stopwatch()
  matching.start()
  const plain = isPlainText(q)
  matching.stop()
  const found = plain ? crew.filter(name => isPlainText(name) && name.toLowerCase().includes(q.toLowerCase())) : []
  return { pattern: plainText.source, length: q.length, plain, found, matching: matching.milliseconds }
}

function isPlainText (text: string): boolean {
  return plainText.test(text)
}

import bidiModule from 'bidi-js'
import { isRightToLeft } from './fast-layout.ts'

/** A stretch of text in one direction. */
export interface Stretch {
  readonly text: string
  readonly rightToLeft: boolean
}

/** Its types are those of an ES module, but it is CommonJS: the import is the function itself. */
const bidiFactory = bidiModule as unknown as typeof bidiModule.default

let bidi: ReturnType<typeof bidiFactory> | undefined

/**
 * A line's stretches as they are seen from the left to the right, by the Unicode Bidirectional Algorithm; the text of each stays in the order in
 * which it is read. The line as a whole runs from the left, whatever it begins with: names are parts of code.
 */
export function directions (text: string): Stretch[] {
  if (!isRightToLeft(text)) return [{ text, rightToLeft: false }]
  bidi ??= bidiFactory()
  const { levels } = bidi.getEmbeddingLevels(text, 'ltr')
  const stretches: Array<Stretch & { readonly level: number }> = []
  let start = 0
  for (let at = 1; at <= text.length; at++) {
    const level = levels[start] as number
    if (at < text.length && levels[at] === level) continue
    const rightToLeft = level % 2 === 1
    const part = text.slice(start, at)
    stretches.push({ text: rightToLeft ? mirrored(part) : part, rightToLeft, level })
    start = at
  }
  return reordered(stretches)
}

/** Parentheses and their like face the other way. */
function mirrored (text: string): string {
  return Array.from(text, character => bidi?.getMirroredCharacter(character) ?? character).join('')
}

/** Rule L2: from the highest level to the lowest odd one, each sequence at that level or higher is turned round. */
function reordered<T extends { readonly level: number }> (stretches: readonly T[]): T[] {
  const order = stretches.slice()
  const highest = Math.max(...order.map(({ level }) => level))
  for (let level = highest; level >= 1; level--) {
    for (let start = 0; start < order.length; start++) {
      let end = start
      while (end < order.length && (order[end] as T).level >= level) end++
      if (end > start + 1) order.splice(start, end - start, ...order.slice(start, end).reverse())
      start = end
    }
  }
  return order
}

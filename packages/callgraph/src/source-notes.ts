import { classify, frameLocation, type Run } from '@geordi/profile'
import type { SourceNote } from '@geordi/profile/sources'

/**
 * What the reader should know of source maps, in a sentence or two. Only of the application's own: many packages name
 * a source map that they don't ship, and nobody who reads a report can do anything about it.
 */
export function sourceNotes (notes: readonly SourceNote[], run: Run): string[] {
  const own = notes.filter(({ url }) => classify({ name: '', url, line: 0, column: 0 }, run) === 'app')
  const [first, ...others] = own
  if (first === undefined) return []
  const script = frameLocation({ name: '', url: first.url, line: 0, column: 0 }, run).text
  const more = others.length === 0 ? '' : `, nor ${others.length === 1 ? 'that of another script' : `those of ${others.length} other scripts`}`
  return [`The source map of ${script} can't be used${more}: ${first.problem}. Functions there have the places and names of the built script.`]
}

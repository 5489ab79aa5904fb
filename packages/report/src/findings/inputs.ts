import type { Profile } from '@geordi/profile'

/** A text that came with the request. The text itself is nobody's business. */
export interface Input {
  /** `"name" of its path`. */
  readonly name: string
  /** In characters. */
  readonly length: number
}

/** The longest text of a request: likely what was matched, though a profile doesn't tell. */
export function longestInput ({ run: { request }, waits }: Profile): Input | undefined {
  if (request === undefined) return undefined
  const [path = '', query = ''] = request.url.split('?')
  const { bodyText, bodyTextLength } = request
  return [
    ...Array.from(new URLSearchParams(query), ([name, { length }]) => ({ name: `"${name}"`, length })),
    ...parametersOf(waits?.route?.url ?? '', path).map(({ name, value: { length } }) => ({ name: `"${name}" of its path`, length })),
    ...bodyTextLength === undefined ? [] : [{ name: bodyText === undefined ? 'its body' : `"${bodyText}" of its body`, length: bodyTextLength }]
  ].sort((a, b) => b.length - a.length)[0]
}

/** The values of a path's parameters by the route's pattern: none where the path doesn't look like it, as routers may be told to rewrite one. */
function parametersOf (pattern: string, path: string): Array<{ name: string, value: string }> {
  const [wanted, given] = [pattern.split('/'), path.split('/')]
  const found: Array<{ name: string, value: string }> = []
  for (const [at, part] of wanted.entries()) {
    const value = part === '*' ? given.slice(at).join('/') : given[at] ?? ''
    const name = part === '*' ? part : /:(\w+)/.exec(part)?.[1]
    if (name !== undefined) found.push({ name, value: decoded(value) })
    else if (part.toLowerCase() !== value.toLowerCase()) return []
  }
  return found
}

function decoded (text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

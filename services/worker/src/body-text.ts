import { isUtf8 } from 'node:buffer'
import type { RunRequest } from '@geordi/profile'
import type { CapturedRequest } from '@geordi/replay'

/** Larger bodies (in bytes) are not looked into: reading one would delay the replay. */
const MOST_BYTES = 1_048_576
/** So many values are looked at. */
const MOST_VALUES = 20_000
/** Names of fields. What looks otherwise may be a value, as an address is that things are listed by. */
const NAME = /^[A-Za-z_$][\w$-]{0,39}$/

/** So many of the names that lead to a value are told, from the innermost. */
const MOST_NAMES = 4
const ELEMENT = '[]'

/** A value and what it is called in the one that holds it. */
interface Field { readonly value: unknown, readonly name: string, readonly holder: Field | undefined }

/** How long the longest text in a request's body is, and what it is called, for a report: JSON's strings, a form's values, plain text as a whole. */
export function longestText (request: CapturedRequest): Pick<RunRequest, 'bodyText' | 'bodyTextLength'> {
  const lengthOf = (field?: Field) => (field?.value as string | undefined)?.length ?? -1
  const longest = textsOf(request).reduce<Field | undefined>((longest, text) => lengthOf(text) > lengthOf(longest) ? text : longest, undefined)
  if (longest === undefined) return {}
  const name = nameOf(longest)
  return { ...name !== '' && { bodyText: name }, bodyTextLength: lengthOf(longest) }
}

/** `items[].name`; `''` for the body itself. */
function nameOf (field: Field): string {
  const names: string[] = []
  let at: Field | undefined = field
  for (; at?.holder !== undefined && names.length < MOST_NAMES; at = at.holder) names.unshift(at.name === ELEMENT || NAME.test(at.name) ? at.name : '…')
  if (at?.holder !== undefined) names.unshift('…')
  return names.join('.').replaceAll(`.${ELEMENT}`, ELEMENT)
}

function textsOf ({ body, rawHeaders }: CapturedRequest): Field[] {
  const header = (name: string) => rawHeaders.flatMap((text, at) => at % 2 === 0 && text.toLowerCase() === name ? rawHeaders[at + 1] ?? '' : [])[0]?.toLowerCase()
  const [type = ''] = header('content-type')?.split(';') ?? []
  const isPlain = ['identity', undefined].includes(header('content-encoding'))
  if (!isPlain || body.length === 0 || body.length > MOST_BYTES || !isUtf8(body)) return []
  const text = Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString()
  const holder = { value: text, name: '', holder: undefined }
  if (type.startsWith('text/')) return [holder]
  if (type.trim() === 'application/x-www-form-urlencoded') {
    return Array.from(new URLSearchParams(text), ([name, value]) => ({ value, name, holder }))
  }
  if (!/^application\/(?:[\w.-]+\+)?json\s*$/.test(type)) return []
  try {
    return textsIn(JSON.parse(text))
  } catch {
    // The app says so itself.
    return []
  }
}

/** Without recursion: JSON may be nested deeper than any stack. */
function textsIn (root: unknown): Field[] {
  const fields: Field[] = [{ value: root, name: '', holder: undefined }]
  // It grows meanwhile.
  for (const holder of fields) {
    const { value } = holder
    if (typeof value !== 'object' || value === null) continue
    const isList = Array.isArray(value)
    for (const name in value) {
      if (fields.length >= MOST_VALUES) break
      fields.push({ value: (value as Record<string, unknown>)[name], name: isList ? ELEMENT : name, holder })
    }
  }
  return fields.filter(({ value }) => typeof value === 'string')
}

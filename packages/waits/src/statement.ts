/**
 * Finds literals, and what looks like them but isn't, in one pass: comments, quoted names and parameters stay.
 * The dialects agree on these; in a `"…"` of MySQL's there may be a text, which then stays: rather quote by `'` or parameters.
 */
const TOKENS = /--[^\n]*|\/\*[\s\S]*?\*\/|'(?:[^'\\]|''|\\[\s\S])*'|\$([A-Za-z_]\w*)?\$[\s\S]*?\$\1\$|"(?:[^"]|"")*"|`[^`]*`|[$:@]\w+|\b0x[0-9a-f]+\b|(?<![\w.])-?\d+(?:\.\d+)?(?:e[+-]?\d+)?\b|\s+/gi

/** A list of literals or parameters, whatever its length: `in ($1, $2, $3)`. */
const LISTS = /\(\s*(?:\?|\$\d+)(?:\s*,\s*(?:\?|\$\d+))+\s*\)/g
const ROWS = /(\((?:…|[^()]*)\))(?:\s*,\s*\((?:…|[^()]*)\))+/g

/** Statements are few, and taking one apart costs 10 µs. */
const known = new Map<string, string>()
const MOST_KNOWN = 2000
const MOST_LENGTH = 2000

/** A statement without the values in it, so that equal questions look equal and no secret is shown. */
export function normaliseSql (text: string): string {
  const cached = known.get(text)
  if (cached !== undefined) return cached
  if (text.length > MOST_LENGTH) return copyOf(normalise(text))
  const normal = normalise(text)
  if (known.size < MOST_KNOWN) known.set(text, normal)
  return normal
}

/** What is cut from a text keeps all of that alive: inserts of a megabyte, for as long as their statement is remembered. */
function copyOf (text: string): string {
  return Buffer.from(text).toString()
}

function normalise (text: string): string {
  const cut = text.length > MOST_LENGTH ? text.slice(0, MOST_LENGTH) : text
  const plain = cut.replace(TOKENS, token => {
    const first = token[0]!
    if (first === '"' || first === '`' || first === ':' || first === '@') return token
    if (first === '$') return /^\$\d+$/.test(token) ? token : '?'
    return token.startsWith('--') || token.startsWith('/*') || token.trim() === '' ? ' ' : '?'
  })
  // A text that is cut off within a literal would show its beginning, and what follows a quote that is escaped there.
  const whole = cut.length < text.length ? `${plain.replace(/'[\s\S]*$/, '?')} …` : plain
  return whole.replace(LISTS, '(…)').replace(/ +/g, ' ').replace(ROWS, '$1, …').trim()
}

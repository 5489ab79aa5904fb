/**
 * Dialects that differ in what a text is: in MySQL and MariaDB `"…"` is one, too, unless the server is told to take it for a name, and a backslash escapes
 * what follows it. Rather too little is shown.
 */
export type Dialect = 'standard' | 'mysql'

interface Grammar {
  /** Finds literals, and what looks like them but isn't, in one pass: quoted names and parameters stay. What has no end goes on to the statement's. */
  readonly tokens: RegExp
  /** Statements are few, and taking one apart costs 10 µs. */
  readonly known: Map<string, string>
}

const ESCAPED = (quote: string) => `${quote}(?:[^${quote}\\\\]|${quote}${quote}|\\\\(?:[\\s\\S]|$))*(?:${quote}|$)`
const COMMON = [
  '`[^`]*`',
  String.raw`[$:@]\w+`,
  String.raw`\b0[xbo][0-9a-f_]+\b`,
  String.raw`(?<![\w.])-?(?:\d[\d_]*(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?(?!\w)`,
  String.raw`\s+`
]
/** One character of a comment that neither begins nor ends one: there is one way only to read it, whatever somebody has put into it. */
const IN_COMMENT = String.raw`(?:[^*/]|\*(?!\/)|\/(?!\*))`
const comment = (inner: string) => `\\/\\*(?:${IN_COMMENT}${inner === '' ? '' : `|${inner}`})*\\*\\/`
const STANDARD = [
  String.raw`--[^\n]*`,
  // PostgreSQL's may be within one another; those of others end with the first end.
  comment(comment(comment(''))), String.raw`\/\*[\s\S]*?(?:\*\/|$)`,
  `(?<=\\be)${ESCAPED("'")}`, "'(?:[^']|'')*(?:'|$)",
  String.raw`(?<![\w$])\$([A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*)?\$[\s\S]*?(?:\$\1\$|$)`,
  '"(?:[^"]|"")*"'
]
/** There `--` begins a comment only before white space: `5--3` is 8. */
const MYSQL = [String.raw`--(?=[\s\x00-\x1f]|$)[^\n]*`, String.raw`#[^\n]*`, String.raw`\/\*[\s\S]*?(?:\*\/|$)`, ESCAPED("'"), ESCAPED('"')]

const GRAMMARS: Readonly<Record<Dialect, Grammar>> = { standard: grammarOf(STANDARD), mysql: grammarOf(MYSQL) }

function grammarOf (own: readonly string[]): Grammar {
  return { tokens: new RegExp([...own, ...COMMON].join('|'), 'gi'), known: new Map() }
}

/** A list of literals or parameters, whatever its length: `in ($1, $2, $3)`. */
const LISTS = /\(\s*(?:\?|\$\d+)(?:\s*,\s*(?:\?|\$\d+))+\s*\)/g
const ROWS = /(\((?:…|[^()]*)\))(?:\s*,\s*\((?:…|[^()]*)\))+/g

const MOST_KNOWN = 2000
const MOST_LENGTH = 2000

/** A statement without the values in it, so that equal questions look equal and no secret is shown. */
export function normaliseSql (text: string, dialect: Dialect = 'standard'): string {
  const grammar = GRAMMARS[dialect]
  const cached = grammar.known.get(text)
  if (cached !== undefined) return cached
  if (text.length > MOST_LENGTH) return copyOf(normalise(text, grammar))
  const normal = normalise(text, grammar)
  if (grammar.known.size < MOST_KNOWN) grammar.known.set(text, normal)
  return normal
}

/** What is cut from a text keeps all of that alive: inserts of a megabyte, for as long as their statement is remembered. */
function copyOf (text: string): string {
  return Buffer.from(text).toString()
}

function normalise (text: string, { tokens }: Grammar): string {
  const cut = text.length > MOST_LENGTH ? text.slice(0, MOST_LENGTH) : text
  const plain = cut.replace(tokens, token => {
    const first = token[0]!
    if (first === '`' || first === ':' || first === '@' || (first === '"' && tokens === GRAMMARS.standard.tokens)) return token
    if (first === '$') return /^\$\w+$/.test(token) ? token : '?'
    return first === '#' || token.startsWith('--') || token.startsWith('/*') || token.trim() === '' ? ' ' : '?'
  })
  const whole = cut.length < text.length ? `${plain} …` : plain
  return whole.replace(LISTS, '(…)').replace(/ +/g, ' ').replace(ROWS, '$1, …').trim()
}

import { escapeHtml, Html } from '../html.ts'

export type TokenKind = 'comment' | 'string' | 'number' | 'keyword' | 'name' | 'space' | 'sign'

export interface Token { kind: TokenKind, text: string }

const keywords: ReadonlySet<string> = new Set([
  'import', 'from', 'export', 'function', 'const', 'let', 'for', 'of', 'if', 'throw', 'new', 'return', 'number', 'default'
])

/** Source text as HTML with a span for each token that has a colour. */
export function highlightSource (source: string): Html {
  return new Html(tokenize(source).map(renderToken).join(''))
}

/** Splits source text into tokens, none lost: their texts joined are the source. */
export function tokenize (source: string): Token[] {
  const tokens: Token[] = []
  for (let at = 0; at < source.length;) {
    const token = nextToken(source, at)
    tokens.push(token)
    at += token.text.length
  }
  return tokens
}

function nextToken (source: string, at: number): Token {
  const first = source.charAt(at)
  if (first === '/' && (source[at + 1] === '/' || source[at + 1] === '*')) return scanComment(source, at)
  if (first === '"' || first === "'" || first === '`') return scanString(source, at, first)
  if (isDigit(first)) return scanWhile('number', source, at, character => isDigit(character) || character === '.')
  if (isLetter(first)) return classifyWord(scanWhile('name', source, at, character => isLetter(character) || isDigit(character)))
  if (isSpace(first)) return scanWhile('space', source, at, isSpace)
  return { kind: 'sign', text: first }
}

function scanComment (source: string, at: number): Token {
  const closing = source[at + 1] === '*' ? '*/' : '\n'
  const end = source.indexOf(closing, at + 2)
  const length = end < 0 ? source.length - at : end - at + (closing === '\n' ? 0 : 2)
  return { kind: 'comment', text: source.substr(at, length) }
}

function scanString (source: string, at: number, quote: string): Token {
  let end = at + 1
  while (end < source.length && source[end] !== quote) end += source[end] === '\\' ? 2 : 1
  return { kind: 'string', text: source.slice(at, end + 1) }
}

function scanWhile (kind: TokenKind, source: string, at: number, belongs: (character: string) => boolean): Token {
  let end = at + 1
  while (end < source.length && belongs(source.charAt(end))) end++
  return { kind, text: source.slice(at, end) }
}

function classifyWord (token: Token): Token {
  return keywords.has(token.text) ? { kind: 'keyword', text: token.text } : token
}

function renderToken ({ kind, text }: Token): string {
  const escaped = escapeHtml(text)
  return kind === 'space' || kind === 'sign' || kind === 'name' ? escaped : `<span class="${kind}">${escaped}</span>`
}

const isDigit = (character: string) => character >= '0' && character <= '9'
const isSpace = (character: string) => character === ' ' || character === '\n' || character === '\t' || character === '\r'
const isLetter = (character: string) => /[\p{L}_$]/u.test(character)

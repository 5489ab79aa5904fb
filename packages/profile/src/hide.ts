/*
 * No regular expression here: dogslow shows URLs while the main thread is interrupted, perhaps within a regular expression, and V8 has one stack for
 * those that backtrack. One that runs meanwhile corrupts it.
 */

/** Query keys whose values are never shown. */
const ALWAYS = [
  'token', 'password', 'passwd', 'pwd', 'passphrase', 'secret', 'key', 'apikey', 'code', 'otp', 'pin', 'session', 'sessionid', 'sid', 'auth', 'authorization',
  'credential', 'credentials', 'jwt', 'signature', 'sig', 'ticket', 'nonce', 'assertion', 'samlresponse'
]
/** What stands in place of a value. */
const HIDDEN = '***'

/** Frameworks differ in what separates pairs, so all that does anywhere. */
const SEPARATORS = '?&;#'

/** How often a value is decoded in search of a query: `redirect_uri` in a `next` in the URL is as far as people go. */
const DEPTH = 4

/**
 * Makes what hides the values of a URL's credentials: of the query keys that are named here or in `more`, or of which one
 * word is: `access_token`, `apiKey`, `user[password]`.
 */
export function urlShower (more: readonly string[]): (url: string) => string {
  const names = new Set([...ALWAYS, ...more].map(name => words(name).join('')))
  const isHidden = (key: string) => {
    const parts = words(key)
    return names.has(parts.join('')) || parts.some(part => names.has(part))
  }

  /** A value that holds a query itself (`?back=/login%3Ftoken%3D…`) is hidden with the keys in it. */
  const isTelling = (value: string, depth: number): boolean => depth > 0 && query(value, depth) !== value

  const pair = (text: string, depth: number): string => {
    // A value may have more of them.
    const at = text.indexOf('=')
    const value = text.slice(at + 1)
    if (at === -1 || value === '') return text
    const key = text.slice(0, at)
    return isHidden(decoded(key)) || isTelling(decoded(value), depth - 1) ? `${key}=${HIDDEN}` : text
  }

  const query = (text: string, depth: number): string => {
    let shown = ''
    let start = 0
    for (let at = 0; at <= text.length; at++) {
      if (at < text.length && !SEPARATORS.includes(text[at]!)) continue
      shown += pair(text.slice(start, at), depth) + (text[at] ?? '')
      start = at + 1
    }
    return shown
  }

  return url => {
    const question = url.indexOf('?')
    return question === -1 ? url : url.slice(0, question) + query(url.slice(question), DEPTH)
  }
}

function decoded (text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    return text
  }
}

/** The words of a name, in small letters: `apiKey`, `api_key` and `user[api-key]` have an `api` and a `key`. */
function words (name: string): string[] {
  const found: string[] = []
  let word = ''
  let last = ''
  for (const character of name) {
    const isPart = isLetter(character) || isDigit(character)
    const isHump = isCapital(character) && (isSmall(last) || isDigit(last))
    if (word !== '' && (!isPart || isHump)) {
      found.push(word.toLowerCase())
      word = ''
    }
    if (isPart) word += character
    last = character
  }
  if (word !== '') found.push(word.toLowerCase())
  return found
}

/** All that isn't ASCII counts as a letter: scripts without capitals can't be told from signs otherwise. */
function isLetter (character: string): boolean {
  return character > '\x7F' || (character >= 'a' && character <= 'z') || (character >= 'A' && character <= 'Z')
}

function isDigit (character: string): boolean {
  return character >= '0' && character <= '9'
}

function isCapital (character: string): boolean {
  return character !== character.toLowerCase()
}

function isSmall (character: string): boolean {
  return character !== character.toUpperCase()
}

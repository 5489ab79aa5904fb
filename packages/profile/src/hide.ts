/** Query keys whose values are never shown. */
const ALWAYS = [
  'token', 'password', 'passwd', 'pwd', 'passphrase', 'secret', 'key', 'apikey', 'code', 'otp', 'pin', 'session', 'sessionid', 'sid', 'auth', 'authorization',
  'credential', 'credentials', 'jwt', 'signature', 'sig', 'ticket', 'nonce', 'assertion', 'samlresponse'
]
/** What stands in place of a value. */
const HIDDEN = '***'

/**
 * Makes what hides the values of a URL's credentials: of the query keys that are named here or in `more`, or of which one
 * word is: `access_token`, `apiKey`, `user[password]`.
 */
export function urlShower (more: readonly string[]): (url: string) => string {
  const names = new Set([...ALWAYS, ...more].map(squashed))
  const isHidden = (key: string) => names.has(squashed(key)) || words(key).some(word => names.has(word))

  /** A value that holds a query itself (`?back=/login%3Ftoken%3D…`) is hidden with the keys in it. */
  const isTelling = (value: string, depth: number): boolean =>
    depth > 0 && /[?&;=]/.test(value) && query(value, depth) !== value

  const query = (text: string, depth: number): string => text
    // Frameworks differ in what separates pairs, so all that does anywhere.
    .replace(/([^?&;#=]*)=([^?&;#]*)/g, (pair, key: string, value: string) =>
      value !== '' && (isHidden(decoded(key)) || isTelling(decoded(value), depth - 1)) ? `${key}=${HIDDEN}` : pair)

  return url => {
    const question = url.indexOf('?')
    return question === -1 ? url : url.slice(0, question) + query(url.slice(question), DEPTH)
  }
}

/** How often a value is decoded in search of a query: `redirect_uri` in a `next` in the URL is as far as people go. */
const DEPTH = 4

function decoded (text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    return text
  }
}

function squashed (key: string): string {
  return key.toLowerCase().replace(/[^\p{L}\p{N}]/gu, '')
}

function words (key: string): string[] {
  return key.replace(/(\p{Ll}|\p{N})(\p{Lu})/gu, '$1 $2').toLowerCase().split(/[^\p{L}\p{N}]+/u)
}

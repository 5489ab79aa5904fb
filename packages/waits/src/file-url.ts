/**
 * The URL of a script that V8 names by its path, as it does CommonJS modules; anything else as it is. Recordings and profiles have URLs.
 *
 * Without regular expressions: it is called where the code of a replay is interrupted, which may be within one. V8's regular expressions share one
 * backtracking stack and are not ready for another one to begin there (memory corrupted in half of all runs on Node 20).
 */
export function fileUrl (script: string): string {
  const hasDrive = script[1] === ':' && (script[2] === '\\' || script[2] === '/')
  const path = hasDrive ? `/${script.replaceAll('\\', '/')}` : script
  if (!path.startsWith('/')) return script
  return `file://${encodeURI(path).replaceAll('?', '%3F').replaceAll('#', '%23')}`
}

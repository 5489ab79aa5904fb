/** The command of a line for a shell: what is set before it (`PGPASSWORD=… psql`) may be a secret as well. What it can't be told from is not shown. */
export function firstWord (line: string): string {
  const [, word = ''] = /^(?:\s*\w+=(?:[^\s'"\\`$();&|<>]+(?=\s)|'[^']*'(?=\s)|"[^"\\`$]*"(?=\s)|(?=\s)))*\s*([^\s=;&|<>]+)(?![^\s;&|<>])/.exec(line) ?? []
  return word
}

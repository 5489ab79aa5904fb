/**
 * The URL without the flag, or null when it has none. All other query keys stay as they are spelled, in
 * their order. The flag counts as it is written, `__geordi__` or `__geordi__=…`: percent-encoded it is somebody else's.
 */
export function withoutFlag (url: string, parameter: string): string | null {
  const question = url.indexOf('?')
  if (question === -1 || url.indexOf(parameter, question) === -1) return null
  const parts = url.slice(question + 1).split('&')
  const others = parts.filter(part => part !== parameter && !part.startsWith(`${parameter}=`))
  if (others.length === parts.length) return null
  const path = url.slice(0, question)
  return others.length === 0 ? path : `${path}?${others.join('&')}`
}

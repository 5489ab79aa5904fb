import { formatTime, plural } from '../numbers.ts'
import type { Look } from '../waits/look.ts'
import { below, placesOf } from './cpu.ts'
import type { Finding } from './finding.ts'
import { longestInput } from './inputs.ts'
import { REGEX } from './thresholds.ts'
import { isWorthTelling } from './worth.ts'

/** V8's frame of a regular expression that is compiled; it doesn't tell the flags. */
const PREFIX = 'RegExp: '

interface Diagnosis {
  readonly growth: string
  /** Characters of a text that is too much for it. */
  readonly enough: number
}

/** Regular expressions that can try exponentially or quadratically many ways, and had much of the time. */
export async function findRegexes (look: Look): Promise<Finding[]> {
  const { profile: { frames }, wall } = look
  const patterns = new Set(frames.filter(({ name, url }) => url === '' && name.startsWith(PREFIX)).map(({ name }) => name))
  const costly = Array.from(patterns, name => ({ pattern: name.slice(PREFIX.length), spent: below(look, frame => frame.url === '' && frame.name === name) }))
    .filter(({ spent }) => isWorthTelling(look, spent.time, REGEX))
    .sort((a, b) => b.spent.time - a.spent.time)
  const findings: Finding[] = []
  for (const { pattern, spent } of costly.slice(0, REGEX.checked)) {
    const diagnosis = await diagnose(pattern)
    if (diagnosis === undefined) continue
    const { growth, enough } = diagnosis
    const input = longestInput(look.profile)
    findings.push({
      cause: 'regex',
      title: `A regular expression that backtracks: ${formatTime(spent.time)}`,
      subject: `/${pattern}/`,
      evidence: [
        `checked: its time grows ${growth}; a text of ${plural(enough, 'character')} is enough to keep it busy`,
        ...input === undefined ? [] : [`the request's longest value is ${input.name} with ${plural(input.length, 'character')}`]
      ],
      numbers: { time: spent.time, enough, ...input !== undefined && { inputLength: input.length } },
      places: placesOf(look, spent.callers),
      time: spent.time,
      share: spent.time / wall,
      advice: 'Rewrite it so that one text can be matched in one way only, and limit the length of what it is given.'
    })
  }
  return findings
}

/**
 * Asks recheck, which knows exponential and polynomial growth and proves it by an attack. Of 18 patterns that are vulnerable it knew all, safe-regex2 10, and of 14 that aren't
 * safe-regex2 accused 7, redos-detector 1 after up to 2 s each. Its browser's build is the one that starts no other process.
 */
async function diagnose (pattern: string): Promise<Diagnosis | undefined> {
  const { default: { checkSync } } = await import('recheck/lib/browser.js')
  try {
    const result = checkSync(pattern, '', { timeout: REGEX.checkLimit })
    if (result.status !== 'vulnerable') return undefined
    const { complexity, attack } = result
    const growth = complexity.type === 'exponential'
      ? 'exponentially with the text\'s length'
      : complexity.degree === 2 ? 'with the square of the text\'s length' : `with the text's length to the power of ${complexity.degree}`
    return { growth, enough: attack.string.length }
  } catch {
    // A pattern that V8 has cut short, or that needs its flags.
    return undefined
  }
}

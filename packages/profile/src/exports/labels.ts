import { labelFunction } from '../frame-label.ts'
import type { Profile } from '../model.ts'

/**
 * What the formats that know a function by its name alone call each frame: `name (file:line)`. No two frames have one text: tools would
 * add them up.
 */
export function uniqueLabels ({ frames, run }: Profile): string[] {
  const texts = frames.map(frame => {
    const { name, location } = labelFunction(frame, run)
    return frame.url === '' ? name : `${name} (${location})`
  })
  const count = new Map<string, number>()
  for (const text of texts) count.set(text, (count.get(text) ?? 0) + 1)
  const taken = new Set<string>()
  return texts.map((text, at) => {
    const frame = frames[at]
    let unique = text
    // On one line, or a native function and a script's of one name.
    if (count.get(text) as number > 1) unique = frame === undefined || frame.url === '' ? text : text.replace(/\)$/, `:${frame.column})`)
    for (let copy = 2; taken.has(unique); copy++) unique = `${text} #${copy}`
    taken.add(unique)
    return unique
  })
}

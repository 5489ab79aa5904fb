import { isFunction } from './function-times.ts'
import type { ProfileTimes } from './graph.ts'

/** The frames with the most self or total time, the longest first; V8's markers are none. */
export function topFunctions ({ functions }: Pick<ProfileTimes, 'functions'>, by: 'self' | 'total', count: number): number[] {
  const column = functions[by]
  return Array.from(column.keys())
    .filter(frame => (column[frame] as number) > 0 && isFunction(functions.kind[frame]))
    .sort((a, b) => (column[b] as number) - (column[a] as number) || a - b)
    .slice(0, count)
}

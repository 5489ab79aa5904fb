import type { Profile } from '../model.ts'
import { uniqueLabels } from './labels.ts'
import { stackOf, stackTimes } from './stack-times.ts'

/**
 * Collapsed stacks, as flamegraph.pl, inferno, speedscope and gprof2dot read them: `outer;inner 1234`, one stack a line, with its
 * whole microseconds. Idle time is left out, and stacks that took less than half a microsecond.
 *
 * @returns The lines, each with its end, as they are made: all in one text may be more than a string can be.
 */
export function * exportCollapsed (profile: Profile): Generator<string, void> {
  const labels = uniqueLabels(profile).map(withoutSeparators)
  for (const { node, time } of stackTimes(profile)) {
    const whole = Math.round(time)
    if (whole > 0) yield `${stackOf(profile, node).reverse().map(frame => labels[frame]).join(';')} ${whole}\n`
  }
}

/** A semicolon separates functions, a line's end stacks; other control characters only hurt. */
function withoutSeparators (label: string): string {
  // eslint-disable-next-line no-control-regex
  return label.replaceAll(';', ':').replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, ' ')
}

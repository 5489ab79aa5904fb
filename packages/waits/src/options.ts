import { WaitsError } from './errors.ts'

/** How waits are recorded. */
export interface WaitsOptions {
  /**
   * Whether code after an `await` and in callbacks is put under the function that started it. Without, only the waits themselves are
   * recorded, with the callers that V8 knows.
   * @defaultValue true
   */
  readonly continuations?: boolean
  /**
   * The share of the time since the recording's start that it may use for itself. Past it, it goes on without `continuations`, and
   * then looks at so many call sites only as the budget has room for.
   * @defaultValue 0.23, so that a request takes at most 1.3 times as long
   */
  readonly budget?: number
  /** Microseconds that it may use before the budget is asked. @defaultValue 50000 */
  readonly freeTime?: number
  /**
   * Bytes that it may use for what it has recorded. Past them, it goes on without `continuations`, and waits are only counted: by operation, place and
   * stretch of time. Some 300,000 queries are within the default. @defaultValue 64 MiB
   */
  readonly memory?: number
  /**
   * Whether the values are kept that the longest wait of each operation was asked with: parameters, keys, queries of URLs. There may be secrets among
   * them. @defaultValue false
   */
  readonly values?: boolean
}

export type FilledOptions = Readonly<Required<WaitsOptions>>

const DEFAULTS: FilledOptions = { continuations: true, budget: 0.23, freeTime: 50_000, memory: 64 * 2 ** 20, values: false }

export function fillOptions (options: WaitsOptions = {}): FilledOptions {
  const filled = { ...DEFAULTS, ...options }
  for (const name of Object.keys(filled)) {
    if (!Object.hasOwn(DEFAULTS, name)) throw invalid(`There is no option \`${name}\`; there are: ${Object.keys(DEFAULTS).join(', ')}.`)
  }
  if (typeof filled.continuations !== 'boolean') throw invalid('Option `continuations` must be true or false.')
  if (typeof filled.values !== 'boolean') throw invalid('Option `values` must be true or false.')
  if (!(filled.budget >= 0)) throw invalid('Option `budget` must be a share from 0.')
  if (!(filled.freeTime >= 0)) throw invalid('Option `freeTime` must be a number of microseconds from 0.')
  if (!(filled.memory >= 0)) throw invalid('Option `memory` must be a number of bytes from 0.')
  return Object.freeze(filled)
}

function invalid (message: string): WaitsError {
  return new WaitsError('GEORDI_OPTION_INVALID', message)
}

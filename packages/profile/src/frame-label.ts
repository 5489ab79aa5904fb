import { classify } from './frame-kind.ts'
import { frameLocation } from './frame-location.ts'
import type { Frame, Run } from './model.ts'

/** What a function is called wherever it is shown. */
export interface FunctionLabel {
  /** `(anonymous)` for a function without a name, `(module)` for a script's own top level. */
  readonly name: string
  /** `package/…/file:line`, which tells functions of the same name apart. */
  readonly location: string
  /** The same with the package's version where it is known: `package@1.2.3/…/file:line`. */
  readonly versionedLocation: string
  /** It belongs to the application, not to a package or to Node. */
  readonly own: boolean
}

/** What to call a frame, by what is known of its sources; neither text is cleaned or shortened to a width yet. */
export function labelFunction (frame: Frame, run?: Run): FunctionLabel {
  const { text, packageName, packageVersion } = frameLocation(frame, run)
  const versioned = packageName !== undefined && packageVersion !== undefined && text.startsWith(packageName)
    ? `${packageName}@${packageVersion}${text.slice(packageName.length)}`
    : text
  return { name: functionName(frame), location: text, versionedLocation: versioned, own: classify(frame, run) === 'app' }
}

/** The name alone, as in `FunctionLabel`. */
export function functionName ({ name, url, line, column, source }: Frame): string {
  if (source?.name !== undefined) return source.name
  // A key may be a blank, which nobody would see.
  if (/\S/.test(name)) return name
  // V8 runs a script's top level as a function without a name that begins at the script's first character, or, where it
  // awaits, without a place (measured on Node 20).
  return url !== '' && line <= 1 && column <= 1 ? '(module)' : '(anonymous)'
}

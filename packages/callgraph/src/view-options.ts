import { CallGraphError } from './errors.ts'

/**
 * Which functions: a text is a function's whole name, or its place (`src/db.js:12`); a RegExp is looked for in
 * `name place`. Names are V8's and those that the sources tell.
 */
export type FunctionPattern = string | RegExp

/** Which part of a profile is looked at, and how finely. */
export interface ViewOptions {
  /**
   * Only the functions below these: samples in whose stack one of them is, with its callers cut away, from its outermost call on.
   * @defaultValue the whole profile
   */
  readonly root?: FunctionPattern
  /**
   * Only the samples in whose stack such a function is, with all its callers and callees, as pprof's `-focus` does it:
   * functions by name, or those of an npm package. `'own'` is for the application's code only: other functions are not shown, their
   * time is their nearest caller's of the application, and what they waited for is its; samples without any function of it are left out.
   * @defaultValue all samples
   */
  readonly focus?: 'own' | { readonly function: FunctionPattern } | { readonly package: string }
  /**
   * What is one node: a function, a file, or a package. Calls inside of one file or package are not told.
   * @defaultValue 'function'
   */
  readonly granularity?: 'function' | 'file' | 'package'
}

/** The options as given, without those left out, and with the default. */
export type FilledViewOptions = Readonly<Omit<ViewOptions, 'granularity'> & Required<Pick<ViewOptions, 'granularity'>>>

const GRANULARITIES: ReadonlyArray<unknown> = ['function', 'file', 'package']

/** Checks the options and fills in the defaults; `undefined` stands for the default. */
export function fillViewOptions ({ root, focus, granularity = 'function' }: ViewOptions): FilledViewOptions {
  if (root !== undefined && !isPattern(root)) throw bad('root', 'a function\'s name or a RegExp')
  if (focus !== undefined && !isFocus(focus)) throw bad('focus', '"own", { function: a name or a RegExp } or { package: a name }')
  if (!GRANULARITIES.includes(granularity)) throw bad('granularity', '"function", "file" or "package"')
  return Object.freeze({ ...root !== undefined && { root }, ...focus !== undefined && { focus }, granularity })
}

function isFocus (focus: unknown): boolean {
  if (focus === 'own') return true
  if (typeof focus !== 'object' || focus === null) return false
  const [[kind, what] = [], ...more] = Object.entries(focus)
  return more.length === 0 && ((kind === 'function' && isPattern(what)) || (kind === 'package' && typeof what === 'string' && what !== ''))
}

function isPattern (pattern: unknown): pattern is FunctionPattern {
  return (typeof pattern === 'string' && pattern !== '') || pattern instanceof RegExp
}

function bad (name: string, takes: string): CallGraphError {
  return new CallGraphError('GEORDI_CALLGRAPH_BAD_OPTION', `The option "${name}" takes ${takes}.`)
}

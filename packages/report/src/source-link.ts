import type { Frame, Run } from '@geordi/profile'
import { ReportError } from './errors.ts'

/** Where the report's links to source code lead. */
export interface SourceLink {
  /**
   * A URL with placeholders: `{path}` the absolute path without its first slash, `{relative}` the path from `root`, `{line}` and
   * `{column}` from 1, `{commit}`. Such as `vscode://file/{path}:{line}` or
   * `https://git.example/team/app/blob/{commit}/{relative}#L{line}`. Functions that can't fill one have no link: with `{relative}`, those outside of
   * `root` and those in node_modules.
   */
  readonly template: string
  /** What `{commit}` stands for: a commit, a tag or a branch. */
  readonly commit?: string
  /**
   * Absolute folder that `{relative}` starts from.
   * @defaultValue the run's `process.workspace`, or else its `process.root`
   */
  readonly root?: string
}

/** The URL for a function's source; `undefined` where there is none. */
export type LinkToSource = (frame: Frame) => string | undefined

const PLACEHOLDERS = ['path', 'relative', 'line', 'column', 'commit']

/** Schemes that run what they hold. */
const DANGEROUS = ['javascript', 'data', 'vbscript']

/**
 * Checks the option.
 *
 * @throws {ReportError} `GEORDI_REPORT_BAD_OPTION`
 */
export function checkSourceLink (link: SourceLink): SourceLink {
  if (typeof link !== 'object' || link === null) throw bad('takes { template, commit, root }', link)
  const stranger = Object.keys(link).find(name => !['template', 'commit', 'root'].includes(name))
  if (stranger !== undefined) throw bad(`takes { template, commit, root } and no "${stranger}"`)
  for (const name of ['template', 'commit', 'root'] as const) {
    if (link[name] !== undefined && typeof link[name] !== 'string') throw bad(`takes a text as "${name}"`, link[name])
  }
  const { template, commit } = link
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(template ?? '')?.[1]?.toLowerCase()
  if (scheme === undefined || DANGEROUS.includes(scheme)) throw bad('takes a URL as "template", such as vscode://file/{path}:{line}', template)
  const unknown = Array.from(template.matchAll(/\{(.*?)\}/g), ([, name]) => name as string).find(name => !PLACEHOLDERS.includes(name))
  if (unknown !== undefined) throw bad(`has no placeholder {${unknown}}: there are ${PLACEHOLDERS.map(name => `{${name}}`).join(', ')}`)
  if (template.includes('{commit}') && commit === undefined) throw bad('needs a "commit" for the {commit} in its "template"')
  return Object.freeze({ ...link })
}

/** Makes the links of one report. */
export function linkToSource (link: SourceLink | undefined, { process }: Run): LinkToSource {
  if (link === undefined) return () => undefined
  const root = (link.root ?? process?.workspace ?? process?.root)?.replaceAll('\\', '/').replace(/\/+$/, '')
  return frame => {
    const { url, line, column } = frame.source?.original ?? frame
    const path = pathOf(url)
    if (path === undefined) return undefined
    const relative = relativeTo(root, path)
    if (relative === undefined && link.template.includes('{relative}')) return undefined
    const values: Record<string, string> = {
      path: encodePath(path.replace(/^\/+/, '')),
      relative: encodePath(relative ?? ''),
      line: String(Math.max(1, line)),
      column: String(Math.max(1, column)),
      commit: encodePath(link.commit ?? '')
    }
    return link.template.replace(/\{(\w+)\}/g, (_, name: string) => values[name] as string)
  }
}

/** The absolute path of a file's URL, with slashes; a drive's letter first where there is one. */
function pathOf (url: string): string | undefined {
  if (url.startsWith('/')) return url
  if (!url.startsWith('file:')) return undefined
  try {
    return decodeURIComponent(new URL(url).pathname).replace(/^\/(?=[a-z]:)/i, '')
  } catch {
    return undefined
  }
}

function relativeTo (root: string | undefined, path: string): string | undefined {
  if (root === undefined || !path.startsWith(`${root}/`)) return undefined
  const relative = path.slice(root.length + 1)
  return relative.split('/').includes('node_modules') ? undefined : relative
}

/** Hostile paths, too, give a URL; a drive's colon stays. */
function encodePath (path: string): string {
  return path.replace(/\p{Surrogate}/gu, '\uFFFD').split('/').map(part => /^[a-z]:$/i.test(part) ? part : encodeURIComponent(part)).join('/')
}

function bad (what: string, ...value: unknown[]): ReportError {
  return new ReportError('GEORDI_REPORT_BAD_OPTION', `The option "sourceLink" ${what}${value.length > 0 ? `, not ${String(value[0])}` : ''}.`)
}

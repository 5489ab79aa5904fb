import { buildNamedCallGraph, exportCallGraph, exportDot, type NamedCallGraph } from '@geordi/callgraph'
import { exportCpuProfile, type Profile } from '@geordi/profile'
import { exportCollapsed, exportPprof, exportSpeedscope } from '@geordi/profile/exports'
import type { GraphSettings } from './graph-options.ts'
import type { Content, Format, Output } from './outputs.ts'

/** A recording, and what is asked of it. */
export interface Recording {
  readonly profile: Profile
  /** The recording as the profiler wrote it, if it is a `.cpuprofile` as it is. */
  readonly raw?: Uint8Array
  readonly settings: GraphSettings
}

/** Every function has its name in these, not only what a graph shows. */
const WHOLE_TREE: readonly Format[] = ['collapsed', 'pprof', 'speedscope']

/**
 * Makes what the outputs hold. The call graph is made once for all of them but the pictures, which make their own.
 *
 * @returns A function that makes one output's content.
 */
export function producer ({ profile, raw, settings }: Recording, outputs: readonly Output[]): (format: Format) => Promise<Content> {
  const { graph, sources, sourceLink } = settings
  const picture = { graph, sources, ...sourceLink !== undefined && { sourceLink: { template: sourceLink } } }
  const naming = outputs.some(({ format }) => WHOLE_TREE.includes(format)) ? 'all' : 'shown'
  let made: Promise<NamedCallGraph> | undefined
  const named = () => (made ??= buildNamedCallGraph(profile, { ...graph, sources, naming }))
  // The report is loaded when it's needed: its fonts and its PDF writer take longer than most graphs.
  const makers: Readonly<Record<Format, () => Promise<Content>>> = {
    pdf: async () => (await import('@geordi/report')).renderReport(profile, picture),
    svg: async () => (await import('@geordi/report')).renderSvg(profile, picture),
    dot: async () => exportDot(await named()),
    json: async () => `${JSON.stringify(exportCallGraph(await named()), undefined, 1)}\n`,
    collapsed: async () => exportCollapsed((await named()).profile),
    pprof: async () => exportPprof((await named()).profile),
    speedscope: async () => JSON.stringify(exportSpeedscope((await named()).profile)),
    cpuprofile: async () => raw ?? JSON.stringify(exportCpuProfile(profile))
  }
  return format => makers[format]()
}

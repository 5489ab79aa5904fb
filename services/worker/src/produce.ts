import { buildNamedCallGraph, exportCallGraph, exportDot, type NamedCallGraph } from '@geordi/callgraph'
import { exportCpuProfile, type Profile } from '@geordi/profile'
import { exportCollapsed, exportPprof, exportSpeedscope } from '@geordi/profile/exports'
import type { PreparedReport } from '@geordi/report'
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
 * Makes what the outputs hold. The call graph is made once for all of them but the pictures, which share one of their own, laid out once.
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
  let prepared: Promise<PreparedReport> | undefined
  const report = () => (prepared ??= import('@geordi/report').then(({ prepareReport }) => prepareReport(profile, picture)))
  const makers: Readonly<Record<Format, () => Promise<Content>>> = {
    pdf: async () => (await report()).pdf(),
    svg: async () => (await report()).svg(),
    dot: async () => exportDot(await named()),
    json: async () => {
      const graph = await named()
      const { findCauses } = await import('@geordi/report/findings')
      return `${JSON.stringify({ ...exportCallGraph(graph), findings: await findCauses(graph.recording) }, undefined, 1)}\n`
    },
    collapsed: async () => exportCollapsed((await named()).profile),
    pprof: async () => exportPprof((await named()).profile),
    speedscope: async () => JSON.stringify(exportSpeedscope((await named()).profile)),
    cpuprofile: async () => raw ?? JSON.stringify(exportCpuProfile(profile))
  }
  return format => makers[format]()
}

import { classifier, frameLocation, functionName, type Frame, type Profile, type Run, type Waits } from '@geordi/profile'
import { CallGraphError } from './errors.ts'
import { isFunction } from './function-times.ts'
import { groupsOf } from './groups.ts'
import { keepSamples, rewriteTree } from './rewrite-tree.ts'
import type { FilledViewOptions, FunctionPattern } from './view-options.ts'
import { waitFrames } from './wait-frames.ts'
import { joinAlike } from './wait-shapes.ts'

/**
 * The part of a profile that is looked at, as a profile of its own: a sample is whole in it or not at all, so that all sums hold
 * there as anywhere. Frames keep their indices unless the granularity makes others. Many waits that are examples of the same, as for each user's page, have one frame.
 *
 * @throws {CallGraphError} `GEORDI_CALLGRAPH_EMPTY_VIEW` where no sample of a profile that has some is in the view.
 */
export function viewProfile (profile: Profile, { root, focus, granularity }: FilledViewOptions): Profile {
  let viewed = profile
  if (root !== undefined) viewed = notEmpty(profile, below(viewed, matching(viewed, root)), `"root" (${String(root)})`)
  if (focus === 'own') viewed = notEmpty(profile, ownOnly(viewed), '"focus" (the application\'s own code)')
  else if (focus !== undefined) {
    const [what] = Object.values(focus) as FunctionPattern[]
    const frames = 'function' in focus ? matching(viewed, focus.function) : ofPackage(viewed, focus.package)
    viewed = notEmpty(profile, through(viewed, frames), `"focus" (${'package' in focus ? 'package ' : ''}${String(what)})`)
  }
  viewed = joinAlike(viewed)
  return granularity === 'function' ? viewed : grouped(viewed, granularity)
}

function notEmpty (whole: Profile, viewed: Profile, option: string): Profile {
  if (viewed.samples.node.length > 0 || whole.samples.node.length === 0) return viewed
  throw new CallGraphError('GEORDI_CALLGRAPH_EMPTY_VIEW', `No sample is in the view: the option ${option} finds no function that was sampled.`)
}

function below (profile: Profile, chosen: readonly boolean[]): Profile {
  return rewriteTree(profile, (frame, above) => above !== undefined || chosen[frame] ? frame : 'drop')
}

function ownOnly (profile: Profile): Profile {
  const waits = waitFrames(profile)
  const kindOf = classifier(profile.run)
  const own = profile.frames.map((frame, index) => waits.has(index) || kindOf(frame) === 'app')
  return rewriteTree(profile, (frame, above) => above === undefined && (waits.has(frame) || !own[frame]) ? 'drop' : own[frame] ? frame : 'fold')
}

/** Calls inside of one group are folded: they would only be a self-edge on each node. */
function grouped (profile: Profile, granularity: 'file' | 'package'): Profile {
  const { frames, groupOf } = groupsOf(profile, granularity)
  const { waits } = profile
  const operations = waits?.operations.map(operation => ({ ...operation, frame: operation.frame < 0 ? -1 : groupOf[operation.frame] as number }))
  const sites = waits?.sites.map(site => ({ ...site, frame: groupOf[site.frame] as number }))
  const route = waits?.route === undefined ? {} : { route: { ...waits.route, handler: groupOf[waits.route.handler] ?? -1 } }
  const regrouped = waits === undefined ? {} : { waits: { ...waits, operations, sites, ...route } as Waits }
  return rewriteTree({ ...profile, frames, ...regrouped }, (frame, above) => groupOf[frame] === above ? 'fold' : groupOf[frame] as number)
}

/** Only the samples in whose stack one of the frames is. */
function through (profile: Profile, chosen: readonly boolean[]): Profile {
  const { tree } = profile
  const inside = new Uint8Array(tree.parent.length)
  for (let node = 0; node < inside.length; node++) {
    inside[node] = chosen[tree.frame[node] as number] || inside[tree.parent[node] as number] ? 1 : 0
  }
  return keepSamples(profile, node => inside[node] === 1)
}

function matching ({ frames, run }: Profile, pattern: FunctionPattern): boolean[] {
  const matches = typeof pattern === 'string'
    ? (frame: Frame) => frame.name === pattern || functionName(frame) === pattern || frameLocation(frame, run).text === pattern
    : (frame: Frame) => [frame.name, functionName(frame)].some(name => found(pattern, `${name} ${frameLocation(frame, run).text}`))
  const kindOf = classifier(run)
  return frames.map(frame => isFunction(kindOf(frame)) && matches(frame))
}

/** A RegExp with the flag g or y remembers where it was. */
function found (pattern: RegExp, text: string): boolean {
  pattern.lastIndex = 0
  return pattern.test(text)
}

function ofPackage ({ frames, run }: Profile, name: string): boolean[] {
  return frames.map((frame: Frame) => packageOf(frame, run) === name)
}

function packageOf (frame: Frame, run: Run): string | undefined {
  return frame.url === '' ? undefined : frameLocation(frame, run).packageName
}

import { OWN_FOLDER } from '../boundary.ts'
import type { Owners } from './live-recorder.ts'

/** V8 takes about a microsecond a frame, so these are taken first: below a handler are some twenty frames of the web framework's. */
const FEW = 20
/** And so many where those don't tell whose the stack is, and nothing else does. */
const MANY = 100
/** Frames that are kept of a stack that is nobody's, or whose owner is far. */
const KEPT = 30

/**
 * The stack here, from this package's caller to the frame that tells whose it is: what is below that is the web framework's.
 * Reading a stack as sites costs little; writing it down would double the price.
 *
 * @param isKnown Whose it is if the stack doesn't tell is known.
 */
export function takeStack (owners: Owners, isKnown: boolean): { owner: object | undefined, sites: readonly NodeJS.CallSite[] } {
  owners.prepare?.()
  const few = look(takeSites(FEW), owners)
  return few.owner !== undefined || few.isWhole || isKnown ? few : look(takeSites(MANY), owners)
}

function look (sites: readonly NodeJS.CallSite[], owners: Owners): { owner: object | undefined, sites: readonly NodeJS.CallSite[], isWhole: boolean } {
  const isWhole = sites.length < FEW
  let own = 0
  while (own < sites.length && isOwn(sites[own]!)) own++
  for (let at = own; at < sites.length; at++) {
    const name = sites[at]!.getFunctionName()
    if (name?.startsWith(owners.prefix) === true) return { owner: owners.of(name), sites: sites.slice(own, Math.min(at, own + KEPT)), isWhole }
  }
  return { owner: undefined, sites: sites.slice(own, own + KEPT), isWhole }
}

/** The stack here: a text where the app keeps others from preparing it, none where it keeps them from asking for it. */
export function stackHere (depth: number): NodeJS.CallSite[] | string {
  const { stackTraceLimit, prepareStackTrace } = Error
  try {
    Error.stackTraceLimit = depth
    const error = new Error()
    Error.prepareStackTrace = (_error, sites) => sites
    const sites = error.stack as unknown as NodeJS.CallSite[] | string | undefined
    Error.stackTraceLimit = stackTraceLimit
    Error.prepareStackTrace = prepareStackTrace
    return sites ?? []
  } catch {
    // `Error` is frozen.
    return []
  }
}

function takeSites (depth: number): readonly NodeJS.CallSite[] {
  const sites = stackHere(depth)
  return typeof sites === 'string' ? [] : sites
}

/** Whether it is this package's. */
export function isOwn (site: NodeJS.CallSite): boolean {
  return site.getFileName()?.startsWith(OWN_FOLDER) === true
}

import { isReplayId, newReplayId, RAW_PROFILE, REPORT, SNAPSHOT } from '@geordi/replay'

/** What an address of geordi's names: a replay's page or, with `artefact`, one of its artefacts or, with `action`, what can be done to it. */
export interface Place {
  readonly id: string
  readonly artefact?: string
  readonly action?: Action
}

/** What can be done to a replay that has not ended, by a POST. */
export type Action = 'cancel' | 'snapshot'
const ACTIONS: readonly Action[] = ['cancel', 'snapshot']

export type PlaceKind = 'page' | 'artefact' | 'action'

export function kindOf ({ artefact, action }: Place): PlaceKind {
  return action !== undefined ? 'action' : artefact !== undefined ? 'artefact' : 'page'
}

/** The artefacts that have an address, with their content types. */
export const ARTEFACTS: ReadonlyMap<string, string> = new Map([
  [REPORT, 'application/pdf'],
  [SNAPSHOT, 'application/pdf'],
  [RAW_PROFILE, 'application/json; charset=utf-8']
])

/** Where a replay's page is and, under it, its artefacts and actions. */
export function address (id: string, { prefix }: { readonly prefix: string }, part?: string): string {
  return part === undefined ? `${prefix}/${id}` : `${prefix}/${id}/${part}`
}

/** One address of each kind, to ask the app's router about. */
export function sampleAddresses (settings: { readonly prefix: string }): Record<PlaceKind, string> {
  const id = newReplayId()
  return { page: address(id, settings), artefact: address(id, settings, REPORT), action: address(id, settings, ACTIONS[0]) }
}

/**
 * Reads addresses as {@link address} writes them, with or without a query. Anything spelled otherwise is not geordi's
 * but the app's, and gives null.
 */
export function placeReader ({ prefix }: { readonly prefix: string }): (url: string) => Place | null {
  const names = [...ARTEFACTS.keys()].map(literal).join('|')
  const pattern = new RegExp(`^${literal(prefix)}/([^/?]+)(?:/(?:(${names})|(${ACTIONS.join('|')})))?(?:\\?|$)`)
  return url => {
    const [, id, artefact, action] = pattern.exec(url) ?? []
    if (id === undefined || !isReplayId(id)) return null
    return { id, ...(artefact === undefined ? {} : { artefact }), ...(action === undefined ? {} : { action: action as Action }) }
  }
}

function literal (text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
}

import { isReplayId, newReplayId, RAW_PROFILE, REPORT } from '@geordi/replay'

/** What an address of geordi's names: a replay's page or, with `artefact`, one of its artefacts. */
export interface Place {
  readonly id: string
  readonly artefact?: string
}

/** The artefacts that have an address, with their content types. */
export const ARTEFACTS: ReadonlyMap<string, string> = new Map([
  [REPORT, 'application/pdf'],
  [RAW_PROFILE, 'application/json; charset=utf-8']
])

/** Where a replay's page and artefacts are. */
export function address (id: string, { prefix }: { readonly prefix: string }, artefact?: string): string {
  return artefact === undefined ? `${prefix}/${id}` : `${prefix}/${id}/${artefact}`
}

/** One address of each kind, to ask the app's router about. */
export function sampleAddresses (settings: { readonly prefix: string }): { page: string, artefact: string } {
  const id = newReplayId()
  return { page: address(id, settings), artefact: address(id, settings, REPORT) }
}

/**
 * Reads addresses as {@link address} writes them, with or without a query. Anything spelled otherwise is not geordi's
 * but the app's, and gives null.
 */
export function placeReader ({ prefix }: { readonly prefix: string }): (url: string) => Place | null {
  const names = [...ARTEFACTS.keys()].map(literal).join('|')
  const pattern = new RegExp(`^${literal(prefix)}/([^/?]+)(?:/(${names}))?(?:\\?|$)`)
  return url => {
    const [, id, artefact] = pattern.exec(url) ?? []
    return id === undefined || !isReplayId(id) ? null : { id, ...(artefact === undefined ? {} : { artefact }) }
  }
}

function literal (text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
}

import { isOwn } from './sites.ts'

/** What was not looked at for so many milliseconds is rare, and looked at again. */
const RARE = 1000
/** Statements may be many: paths with numbers in them. */
const MOST = 1000

interface Seen {
  readonly time: number
  /** As V8 writes a call site; `undefined` where no code of the app's was in the stack. */
  readonly site: string | undefined
}

/** Where operations were last seen to be started, by their statements: as texts, because a call site keeps all alive that its function knows. */
export class LastSeen {
  readonly #seen = new Map<string, Seen>()

  isRare (statement: string, now: number): boolean {
    const seen = this.#seen.get(statement)
    return seen === undefined || now - seen.time > RARE
  }

  note (statement: string, now: number, sites: readonly NodeJS.CallSite[]): void {
    const before = this.#seen.get(statement)
    if (!this.#seen.delete(statement) && this.#seen.size >= MOST) this.#seen.delete(this.#seen.keys().next().value!)
    const site = sites.find(isApps)
    // A driver's own callback may start it, too, and knows nothing better.
    this.#seen.set(statement, { time: now, site: site === undefined ? before?.site : String(site) })
  }

  /** Whether it was seen, and started by no code of the app's. */
  isNobodys (statement: string): boolean {
    const seen = this.#seen.get(statement)
    return seen !== undefined && seen.site === undefined
  }

  at (statement: string): string | undefined {
    return this.#seen.get(statement)?.site
  }
}

function isApps (site: NodeJS.CallSite): boolean {
  const file = site.getFileName()
  return file !== null && file !== undefined && !file.startsWith('node:') && !/[\\/]node_modules[\\/]/.test(file) && !isOwn(site)
}

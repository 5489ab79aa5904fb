import type { WaitKind } from '@geordi/profile'
import { callAcrossBoundary } from '../boundary.ts'
import { countSync } from '../observe.ts'
import type { OftenCalled } from '../often-called.ts'
import { Recorder } from '../recorder.ts'
import type { WaitStart } from '../wait-log.ts'
import { Budget } from './budget.ts'
import { connections, type AskConnection } from './connections.ts'
import { LastSeen } from './last-seen.ts'
import { takeStack } from './sites.ts'

/** A wait of a request that still runs. */
export interface LiveWait {
  readonly kind: WaitKind
  /** What was asked for, without values. Empty where there is nothing to tell. */
  readonly statement: string
  /** Host, database or file. */
  readonly target: string
  /** The npm package or `node:` module that does it. */
  readonly driver: string
  /** When it began, as `performance.now()`. */
  readonly start: number
  /** When it ended; left out while it is pending. */
  readonly end?: number
  readonly failed?: boolean
  /** Who waits, the innermost first, as V8 writes call sites: `async load (file:///app/db.js:12:3)`. */
  readonly stack: string[]
}

/** A wait of nobody knows whom. */
export interface UnassignedWait extends Omit<LiveWait, 'stack' | 'end' | 'failed'> {
  /** Where one like it was last seen to be started, as V8 writes a call site. */
  readonly lastSeen?: string
}

/** A wait before it is told: to write the stack down costs more than all the rest, and hardly any wait is asked for. */
export interface Wait extends Omit<LiveWait, 'stack' | 'end' | 'failed'> {
  readonly record: Record
  end?: number
  failed?: boolean
}

/** A place where an operation was started. */
interface Record {
  owner: object | undefined
  /** Left out while there was no room in the budget to look; none where it is nobody's. */
  sites: readonly NodeJS.CallSite[] | undefined
  /** Where the callback was handed over in which this one was started, if that is not to be seen in the stack. */
  parent: Record | undefined
}

interface OwnWaits {
  /** In its name, the latest last. */
  readonly records: Record[]
  readonly pending: Set<number>
  /** The latest last. */
  readonly finished: Wait[]
}

/** How the owner of a stack is told. */
export interface Owners {
  /** What frames are called that belong to somebody. */
  readonly prefix: string
  /** Whose frame that is, now; `undefined` for nobody's. */
  readonly of: (functionName: string) => object | undefined
  /** To be called before a stack is taken: those frames are named by now. */
  readonly prepare?: () => void
  /** Whether there is any owner now; while there is none, nothing is noted. */
  readonly any: () => boolean
  readonly blocking?: BlockingListener
}

/** Told of calls that block the thread and can't be interrupted, one at a time. */
export interface BlockingListener {
  begins (call: BlockingCall): void
  /** One that is over at once as good as always, and may come many times a request. */
  beginsOn (name: DescriptorCall, descriptor: number): void
  ends (): void
}

export type DescriptorCall = 'readSync' | 'writeSync' | 'fsyncSync'

/** A call that blocks the thread: `readFileSync`, `execSync` … What is known of it is found out when it is asked for. */
export interface BlockingCall {
  readonly name: string
  /** The file, or the program. */
  readonly target: () => string
  /** Who calls; nobody past the budget. */
  readonly whose: () => { readonly owner: object | undefined, readonly stack: string[] }
}

/** So many records are remembered for what is opened and called back in their names. */
const REMEMBERED = 2048
const FINISHED = 5
/** So many waits of nobody knows whom are noted at a time; one that never ends makes room after so many milliseconds. */
const MOST_UNASSIGNED = 1000
const LONGEST_UNASSIGNED = 600_000
const { then } = Promise.prototype
const NOBODY: Record = { owner: undefined, sites: [], parent: undefined }

/**
 * The cheap form of a recorder, for a process that serves many requests: it notes who started what is pending, by the stack alone, and forgets it
 * with the request. It follows no promises. Stacks are taken as long as the budget has room; past it, a wait is noted as one of nobody knows whom.
 *
 * Records are numbers: positive for a driver's own code, negative for code of who called it, 0 for nobody's.
 */
export class LiveRecorder extends Recorder {
  readonly #owners: Owners
  readonly #budget: Budget
  readonly #lastSeen = new LastSeen()
  readonly #pending = new Map<number, Wait>()
  readonly #unassigned = new Map<number, Wait>()
  readonly #own = new WeakMap<object, OwnWaits>()
  readonly #records: Record[] = []
  readonly #recordIds: number[] = []
  #lastRecord = 0
  #lastWait = 0
  #currentId = 0
  #current: Record = NOBODY
  /** The time of the last look, which is as good as the time for what is to be told in seconds. */
  #now = performance.now()
  #isBlocking = false

  constructor (owners: Owners, budget: number) {
    super()
    this.#owners = owners
    this.#budget = new Budget(budget)
  }

  override get followsCallbacks (): boolean { return false }
  /** In production nothing more is connected to than the app itself connects to. */
  override get asksServers (): boolean { return false }
  override get inDriver (): boolean { return this.#currentId > 0 }
  override get current (): number { return this.#currentId }

  /** Past the budget, all that isn't rare does: the connections are asked, and the place is known where one like it was seen. */
  override passes (statement: string, connection?: object, ask?: AskConnection): boolean {
    if (this.#currentId !== 0) return false
    if (!this.#owners.any()) return true
    if (this.#budget.isOpen || (this.#budget.isOpenForRare && this.#lastSeen.isRare(statement, this.#now))) return false
    if (connection !== undefined) connections.add(connection, ask!)
    return true
  }

  override noted (operation: object | null | undefined): void {
    if (operation) connections.exclude(operation)
  }

  /** The same of a timer, which nobody can be asked for: it must be one that the app's own code doesn't start. */
  passesTimer (statement: string): boolean {
    return this.passes(statement) && (this.#lastSeen.isNobodys(statement) || !this.#owners.any())
  }

  /** To be called some times a second as long as there are owners: sees what has become long, and makes room in the budget. */
  look (now: number): void {
    this.#now = now
    this.#budget.fill(now)
    connections.look(now)
  }

  override record (driver = false, statement?: string): number {
    if (this.#currentId > 0) return this.#currentId
    if (!this.#owners.any()) return 0
    const record = this.#unseen()
    // Else its wait is opened with the same stack, and looks if that is wanted.
    if (statement !== undefined) this.#look(record, performance.now(), statement)
    const id = this.#remember(record)
    return driver ? id : -id
  }

  override besides (driver: number): number {
    return -driver
  }

  override run (fn: Function, self: unknown, args: unknown[]): unknown {
    return Reflect.apply(fn, self, args)
  }

  override enter (id: number, fn: Function, self: unknown, args: unknown[]): unknown {
    return this.#as(id, callAcrossBoundary, fn, self, args)
  }

  override call (id: number, fn: Function, self: unknown, args: unknown[]): unknown {
    return this.#as(id, Reflect.apply, fn, self, args)
  }

  override follow (_id: number, promise: unknown, done?: (value: unknown) => unknown, failed?: (error: unknown) => unknown): unknown {
    return done === undefined ? promise : Reflect.apply(then, promise, [done, failed])
  }

  /** A blocking call begins. @returns Whether its end is to be told by {@link blocked}. */
  blocks (name: string, target: () => string): boolean {
    if (!this.#noteBlocking()) return false
    this.#owners.blocking!.begins({ name, target, whose: () => this.#whose(name) })
    return true
  }

  /** The same of a call on a file's descriptor. */
  blocksOn (name: DescriptorCall, descriptor: unknown): boolean {
    if (!this.#noteBlocking()) return false
    this.#owners.blocking!.beginsOn(name, Number(descriptor))
    return true
  }

  blocked (): void {
    this.#isBlocking = false
    this.#owners.blocking!.ends()
  }

  #noteBlocking (): boolean {
    // What a blocking call does within is part of it.
    if (this.#isBlocking || this.#owners.blocking === undefined || !this.#owners.any()) return false
    this.#isBlocking = true
    return true
  }

  override open (id: number, { kind, statement = '', target = '', driver = '' }: WaitStart): number {
    const wait = ++this.#lastWait
    if (!this.#owners.any()) return wait
    const record = this.#recordOf(id)
    const start = performance.now()
    if (record.sites === undefined) this.#look(record, start, statement)
    else this.#see(statement, start, record.sites)
    const { owner } = record
    if (owner !== undefined) {
      this.#pending.set(wait, { kind, statement, target, driver, start, record })
      this.#ownWaits(owner).pending.add(wait)
    } else if (record.sites === undefined && this.#hasPlace(start)) this.#unassigned.set(wait, { kind, statement, target, driver, start, record })
    return wait
  }

  override countOften ({ start }: OftenCalled, fn: Function, self: unknown, args: unknown[], rowsOf: (result: unknown) => number | undefined): unknown {
    return countSync(this, { ...start, values: args }, fn, self, args, result => ({ rows: rowsOf(result) }))
  }

  override close (id: number, failed: boolean): void {
    if (this.#unassigned.delete(id)) return
    const wait = this.#take(id)
    if (wait === undefined) return
    wait.end = performance.now()
    wait.failed = failed
    const { owner } = wait.record
    // An interruption may have it forgotten meanwhile.
    if (owner === undefined) return
    const { finished } = this.#ownWaits(owner)
    if (finished.push(wait) > FINISHED) finished.shift()
  }

  override discard (id: number): void {
    if (!this.#unassigned.delete(id)) this.#take(id)
  }

  override isOpen (id: number): boolean {
    return this.#pending.has(id) || this.#unassigned.has(id)
  }

  /** What an owner waits for and has waited for. */
  waitsOf (owner: object): { pending: LiveWait[], finished: LiveWait[] } {
    const own = this.#own.get(owner)
    if (own === undefined) return { pending: [], finished: [] }
    return { pending: Array.from(own.pending, id => tell(this.#pending.get(id)!)), finished: own.finished.map(tell) }
  }

  /** What is pending of nobody knows whom and began since then, the oldest first. */
  unassignedSince (time: number): UnassignedWait[] {
    const asked = connections.awaited.map(({ kind, statement = '', target = '', driver = '', start }) => ({ kind, statement, target, driver, start }))
    const noted = Array.from(this.#unassigned.values(), ({ record, ...wait }) => wait)
    return [...noted, ...asked].filter(({ start }) => start >= time).sort((a, b) => a.start - b.start).map(wait => {
      const lastSeen = this.#lastSeen.at(wait.statement)
      return { ...wait, ...lastSeen !== undefined && { lastSeen } }
    })
  }

  /** Lets go of an owner's waits: who starts them is gone, though they may be pending. */
  forget (owner: object): void {
    const own = this.#own.get(owner)
    if (own === undefined) return
    for (const id of own.pending) this.#pending.delete(id)
    for (const record of own.records) clear(record)
    this.#own.delete(owner)
  }

  /** In whose name a callback runs here, of those that drivers and timers call. */
  get currentOwner (): object | undefined {
    return this.#current.owner
  }

  /** A record of what is started here, as far as is known without its stack. */
  #unseen (): Record {
    const parent = this.#current
    // Only one step up: a chain of callbacks would grow for as long as a process polls.
    return { owner: parent.owner, sites: undefined, parent: parent === NOBODY ? undefined : parent.parent ?? parent }
  }

  /** Takes the stack of what is started here, if the budget has room. */
  #look (record: Record, now: number, statement: string): void {
    const isRare = this.#lastSeen.isRare(statement, now)
    if (!this.#budget.hasRoom(now, isRare)) return
    const { owner, sites } = takeStack(this.#owners, record.owner !== undefined)
    if (owner !== undefined) {
      record.owner = owner
      record.parent = undefined
      this.#keepUntilForgotten(record)
    }
    record.sites = record.owner === undefined ? [] : sites
    if (isRare) this.#lastSeen.note(statement, now, sites)
    this.#budget.spend(performance.now() - now)
  }

  /** Notes where a statement was started whose stack was taken before it was known. */
  #see (statement: string, now: number, sites: readonly NodeJS.CallSite[]): void {
    if (sites.length === 0 || !this.#lastSeen.isRare(statement, now)) return
    this.#lastSeen.note(statement, now, sites)
    this.#budget.spend(performance.now() - now)
  }

  #whose (name: string): { readonly owner: object | undefined, readonly stack: string[] } {
    const record = this.#unseen()
    this.#look(record, performance.now(), name)
    if (record.sites === undefined) return { owner: record.owner, stack: [] }
    const written = performance.now()
    const stack = textOf(record)
    this.#budget.spend(performance.now() - written)
    return { owner: record.owner, stack }
  }

  #hasPlace (now: number): boolean {
    if (this.#unassigned.size < MOST_UNASSIGNED) return true
    const [oldest, { start }] = this.#unassigned.entries().next().value!
    return now - start > LONGEST_UNASSIGNED && this.#unassigned.delete(oldest)
  }

  #take (id: number): Wait | undefined {
    const wait = this.#pending.get(id)
    if (wait === undefined) return undefined
    this.#pending.delete(id)
    this.#own.get(wait.record.owner!)?.pending.delete(id)
    return wait
  }

  #ownWaits (owner: object): OwnWaits {
    let own = this.#own.get(owner)
    if (own === undefined) this.#own.set(owner, own = { records: [], pending: new Set(), finished: [] })
    return own
  }

  /** A record stays for a while, and what it leads to with it: its stack, its request, all that was read for that. */
  #keepUntilForgotten (record: Record): void {
    const { records } = this.#ownWaits(record.owner!)
    if (records.length >= 2 * REMEMBERED) records.splice(0, REMEMBERED)
    records.push(record)
  }

  #remember (record: Record): number {
    const id = ++this.#lastRecord
    if (record.owner !== undefined) this.#keepUntilForgotten(record)
    this.#records[id % REMEMBERED] = record
    this.#recordIds[id % REMEMBERED] = id
    return id
  }

  #recordOf (id: number): Record {
    const number = Math.abs(id)
    return this.#recordIds[number % REMEMBERED] === number ? this.#records[number % REMEMBERED]! : NOBODY
  }

  #as (id: number, apply: typeof callAcrossBoundary, fn: Function, self: unknown, args: unknown[]): unknown {
    const outerId = this.#currentId
    if (id === outerId) return apply(fn, self, args)
    const outer = this.#current
    this.#currentId = id
    this.#current = this.#recordOf(id)
    try {
      return apply(fn, self, args)
    } finally {
      this.#currentId = outerId
      this.#current = outer
    }
  }
}

function clear (record: Record): void {
  record.owner = undefined
  record.sites = []
  record.parent = undefined
}

function tell ({ record, ...wait }: Wait): LiveWait {
  return { ...wait, stack: textOf(record) }
}

function textOf ({ sites, parent }: Record): string[] {
  return [...sites ?? [], ...parent?.sites ?? []].map(String)
}

import { WAIT_OUTCOMES, type CallSite, type Frame, type LoopBlock, type Profile, type WaitKind, type WaitLock, type WaitOperation, type WaitOutcome, type Waits } from '@geordi/profile'
import { FULL_RUN } from './profile-builder.ts'

/**
 * A function on a stack and the line of its call, and the column: `load:12`, `load:12:30`. Its script is the application's, but `(gc)` and `RegExp: …` have none, `readSync node:fs` is Node's and
 * `render in ejs` a package's.
 */
export type Step = string

/** What a test says of a wait; the rest is as usual. */
export interface TestWait {
  readonly kind?: WaitKind
  readonly statement: string
  readonly target?: string
  readonly sync?: boolean
  readonly parameters?: boolean
  readonly connections?: number
  readonly aside?: boolean
  readonly same?: number
  /** What the longest of its operation was asked with. */
  readonly values?: string
  readonly rows?: number
  readonly bytes?: number
  /** So many, one after the other, were counted together. */
  readonly count?: number
  /** `done` unless it says so. */
  readonly outcome?: WaitOutcome
  /** From the outside to the inside. */
  readonly stack?: readonly Step[]
}

interface Placed { readonly wait: TestWait, readonly start: number, readonly end: number }

/** Makes a merged profile by hand: of each moment the time is what ran, else in equal parts the open waits', else idle. Times are milliseconds. */
export class RunBuilder {
  readonly #ran: Array<{ readonly stack: readonly Step[], readonly start: number, readonly end: number }> = []
  readonly #waits: Placed[] = []
  readonly #frames: Frame[] = []
  readonly #frameIds = new Map<string, number>()
  readonly #nodes = new Map<string, number>()
  readonly #tree = { frame: [] as number[], parent: [] as number[] }
  readonly #locks: WaitLock[] = []
  readonly #silent: string[] = []
  readonly #blocks: LoopBlock[] = []
  now = 0

  constructor () {
    this.#node(-1, this.#frame('(root)'))
  }

  /** Code runs. */
  run (stack: readonly Step[], time: number): this {
    this.#ran.push({ stack, start: this.now, end: this.now + time })
    this.now += time
    return this
  }

  /** Waits, and nothing else happens. */
  wait (wait: TestWait, time: number): this {
    this.open(wait, this.now, this.now + time)
    this.now += time
    return this
  }

  /** A wait from when to when, beside the others. @returns Its index, if they come in the order of their starts. */
  open (wait: TestWait, start: number, end: number): number {
    return this.#waits.push({ wait, start, end }) - 1
  }

  lock (lock: WaitLock): this {
    this.#locks.push(lock)
    return this
  }

  /** A server that doesn't tell of locks. */
  silent (target: string): this {
    this.#silent.push(target)
    return this
  }

  block (start: number, end: number): this {
    this.#blocks.push({ start: start * 1000, end: end * 1000 })
    return this
  }

  /** Without waits, as a CPU profile is. */
  cpuProfile (): Profile {
    const { waits: _, ...profile } = this.profile()
    return profile
  }

  profile (): Profile {
    const operations: WaitOperation[] = []
    const operationIds = new Map<string, number>()
    const sites: CallSite[] = []
    const siteIds = new Map<string, number>()
    const waits = this.#waits.toSorted((a, b) => a.start - b.start).map(({ wait, start, end }) => {
      const { kind = 'sql', statement, target = 'db', sync = false, parameters = false, connections, aside = false, same = 0, rows = NaN, bytes = NaN, count = 1, values, outcome = 'done', stack = ['handler:1'] } = wait
      const key = JSON.stringify([kind, statement, target, sync, parameters, connections, aside])
      let operation = operationIds.get(key)
      if (operation === undefined) {
        const frame = sync ? -1 : this.#frames.push({ name: `(wait) ${kind} ${statement}`, url: '', line: 0, column: 0 }) - 1
        operation = operations.push({ kind, statement, target, sync, ...parameters && { parameters }, ...connections !== undefined && { connections }, ...aside && { aside }, ...values !== undefined && { values }, frame }) - 1
        operationIds.set(key, operation)
      }
      let [site, node] = [-1, 0]
      for (const step of stack) {
        const [name, line, column] = parse(step)
        const frame = this.#frame(name)
        const siteKey = `${site} ${frame} ${line} ${column}`
        let id = siteIds.get(siteKey)
        if (id === undefined) siteIds.set(siteKey, id = sites.push({ frame, line, column, parent: site }) - 1)
        site = id
        node = this.#node(node, frame)
      }
      const frame = operations[operation]!.frame
      return { operation, site, start, end, same, rows, bytes, count, outcome, node: frame < 0 ? -1 : this.#node(node, frame) }
    })
    const column = (of: (wait: typeof waits[number]) => number) => Float64Array.from(waits, of)
    const recorded: Waits = {
      operations,
      sites,
      operation: Int32Array.from(waits, ({ operation }) => operation),
      site: Int32Array.from(waits, ({ site }) => site),
      start: column(({ start }) => start * 1000),
      end: column(({ end }) => end * 1000),
      outcome: Uint8Array.from(waits, ({ outcome }) => WAIT_OUTCOMES.indexOf(outcome)),
      rows: column(({ rows }) => rows),
      bytes: column(({ bytes }) => bytes),
      same: Int32Array.from(waits, ({ same }) => same),
      ...waits.some(({ count }) => count > 1) && {
        counts: { count: Int32Array.from(waits, ({ count }) => count), time: column(({ start, end }) => (end - start) * 1000), longest: column(({ start, end, count }) => (end - start) * 1000 / count) }
      },
      locks: this.#locks,
      ...this.#silent.length > 0 && { silent: this.#silent },
      blocks: this.#blocks,
      recording: { cost: 0, samples: { all: 1000, busy: 500 }, cut: { samples: 0, time: 0 } }
    }
    const samples = this.#sweep(waits.filter(({ node }) => node >= 0))
    return {
      frames: this.#frames,
      tree: { frame: Int32Array.from(this.#tree.frame), parent: Int32Array.from(this.#tree.parent) },
      samples: { node: Int32Array.from(samples, ({ node }) => node), duration: Float64Array.from(samples, ({ time }) => time * 1000) },
      startTime: 0,
      run: { ...FULL_RUN, wallTime: this.#end() * 1000 },
      waits: recorded
    }
  }

  #end (): number {
    return this.#waits.reduce((end, wait) => Math.max(end, wait.end), this.now)
  }

  /** In the order of time; what is open is kept in a list, so that 100,000 waits one after the other take no time. */
  #sweep (waits: ReadonlyArray<{ readonly start: number, readonly end: number, readonly node: number }>): Array<{ node: number, time: number }> {
    const ran = this.#ran.map(({ stack, start, end }) => ({ node: stack.reduce((node, step) => this.#node(node, this.#frame(parse(step)[0])), 0), start, end }))
    const idle = this.#node(0, this.#frame('(idle)'))
    const cuts = Float64Array.from(new Set([0, this.#end(), ...[...waits, ...ran].flatMap(({ start, end }) => [start, end])])).sort()
    const samples: Array<{ node: number, time: number }> = []
    let [nextWait, nextRun] = [0, 0]
    let open: typeof waits = []
    cuts.slice(1).forEach((end, at) => {
      const start = cuts[at] as number
      while (nextWait < waits.length && waits[nextWait]!.start <= start) open = [...open, waits[nextWait++]!]
      open = open.filter(wait => wait.end > start)
      while (nextRun < ran.length && ran[nextRun]!.end <= start) nextRun++
      const running = ran[nextRun]
      if (running !== undefined && running.start <= start) samples.push({ node: running.node, time: end - start })
      else if (open.length === 0) samples.push({ node: idle, time: end - start })
      else for (const { node } of open) samples.push({ node, time: (end - start) / open.length })
    })
    return samples
  }

  #frame (name: string): number {
    let id = this.#frameIds.get(name)
    if (id !== undefined) return id
    const [, word = name, module] = /^(\S+) (node:\S+)$/.exec(name) ?? []
    const [, fn = word, packageName] = /^(\S+) in (\S+)$/.exec(name) ?? []
    const url = name.startsWith('(') || name.startsWith('RegExp: ') ? '' : module ?? (packageName === undefined ? `file:///srv/app/src/${fn}.js` : `file:///srv/app/node_modules/${packageName}/index.js`)
    id = this.#frames.push({ name: url === '' ? name : fn, url, line: url === '' ? 0 : 1, column: url === '' ? 0 : 1 }) - 1
    this.#frameIds.set(name, id)
    return id
  }

  #node (parent: number, frame: number): number {
    const key = `${parent} ${frame}`
    let node = this.#nodes.get(key)
    if (node === undefined) {
      this.#tree.frame.push(frame)
      this.#nodes.set(key, node = this.#tree.parent.push(parent) - 1)
    }
    return node
  }
}

function parse (step: Step): [name: string, line: number, column: number] {
  const [, name = step, line, column] = /^(.*?):(\d+)(?::(\d+))?$/.exec(step) ?? []
  return step.startsWith('RegExp: ') ? [step, 1, 5] : [name, Number(line ?? 1), Number(column ?? 5)]
}

/** Does something so many times. */
export function repeat (count: number, one: (at: number) => void): void {
  for (let at = 0; at < count; at++) one(at)
}

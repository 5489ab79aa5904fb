import { setTimeout as sleep } from 'node:timers/promises'
import vm from 'node:vm'
import pTimeout from 'p-timeout'
import { timeout } from '../src/index.ts'

/*
 * What a box costs, beside other ways of limiting code, all in one run: npm run bench -w @geordi/interruptingcow
 * The contenders take turns, so that what else the machine does hits them alike; medians of the rounds.
 */
const ROUNDS = 15

interface Contender {
  readonly name: string
  readonly run: (times: number) => Promise<unknown> | void
  /** How much more often than the others. */
  readonly more?: number
}

const work = async () => 1

const asynchronous: readonly Contender[] = [
  { name: 'a bare await', run: async times => { for (let i = 0; i < times; i++) await work() } },
  { name: 'timeout(20_000, fn)', run: async times => { for (let i = 0; i < times; i++) await timeout(20_000, work) } },
  {
    name: 'timeout(20_000, fn), its signal read',
    run: async times => { for (let i = 0; i < times; i++) await timeout(20_000, box => { void box.signal; return work() }) } // eslint-disable-line no-void
  },
  { name: 'p-timeout', run: async times => { for (let i = 0; i < times; i++) await pTimeout(work(), { milliseconds: 20_000 }) } },
  {
    name: 'AbortSignal.timeout and a race',
    // Each leaves a timer for twenty seconds; too many of them would slow all the others down.
    more: 0.05,
    run: async times => {
      for (let i = 0; i < times; i++) {
        const signal = AbortSignal.timeout(20_000)
        await Promise.race([work(), new Promise((_resolve, reject) => { signal.onabort = () => { reject(signal.reason) } })])
      }
    }
  }
]

const script = new vm.Script('globalThis.benchBody()')
Object.assign(globalThis, { benchBody: () => 1 })
const bound = () => 1

const synchronous: readonly Contender[] = [
  { name: 'a bare call', run: times => { for (let i = 0; i < times; i++) bound() } },
  { name: 'vm, timeout: 20_000', run: times => { for (let i = 0; i < times; i++) script.runInThisContext({ timeout: 20_000 }) } },
  { name: 'timeout.sync(20_000, fn)', run: times => { for (let i = 0; i < times; i++) timeout.sync(20_000, bound) } },
  {
    name: 'timeout.sync in another box that is due first',
    more: 20,
    run: times => { timeout.sync(20_000, () => { for (let i = 0; i < times; i++) timeout.sync(30_000, bound) }) }
  }
]

async function compare (contenders: readonly Contender[], times: number, against: string): Promise<void> {
  const taken = new Map(contenders.map(({ name }) => [name, [] as number[]]))
  for (let round = -2; round < ROUNDS; round++) {
    for (const { name, run, more = 1 } of contenders) {
      const repetitions = times * more
      const started = performance.now()
      await run(repetitions)
      if (round >= 0) taken.get(name)!.push((performance.now() - started) / repetitions * 1000)
      // Lets timers that a contender leaves behind not add up in its round only.
      await sleep(0)
    }
  }
  const base = median(taken.get(against)!)
  for (const [name, values] of taken) {
    const value = median(values)
    console.log(`  ${name.padEnd(48)} ${value.toFixed(2).padStart(9)} µs  ${(value / base).toFixed(2).padStart(7)} × ${against}`)
  }
}

function median (values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1]!
}

timeout.sync.prepare()
console.log(`Node.js ${process.version}, ${ROUNDS} rounds, microseconds a call`)
console.log('asynchronous:')
await compare(asynchronous, 20_000, 'a bare await')
console.log('synchronous:')
await compare(synchronous, 500, 'vm, timeout: 20_000')
// AbortSignal.timeout leaves a timer a signal: they would fire for twenty seconds.
process.exit(0)

import assert from 'node:assert/strict'
import { gzipSync } from 'node:zlib'
import { test, type TestContext } from 'node:test'
import { liveWaits, type BlockingListener, type LiveWaits } from '@geordi/waits/live'
import { Budget } from '../src/live/budget.ts'

/** So little that it is used up by one stack, for years. */
const ONE_STACK = 1e-15
const LONG = 1_000_000

const owner = {}

/** Calls as code of the owner's. */
const asOwner = { 'owner#1' (call: () => void) { call() } }['owner#1']!

function watch (t: TestContext, budget: number, more: { any?: () => boolean, blocking?: BlockingListener } = {}): LiveWaits {
  const waits = liveWaits({ prefix: 'owner#', of: () => owner, any: () => true, ...more }, budget)
  t.after(() => waits.stop())
  return waits
}

function startTimers (count: number, delay: number): NodeJS.Timeout[] {
  return Array.from({ length: count }, () => setTimeout(() => {}, delay))
}

test('a budget has room for a share of the time, at once for what the share of ten seconds is; half of it is kept for what is rare', () => {
  const budget = new Budget(0.001)
  const start = performance.now()
  let spent = 0
  const spendAll = (now: number, isRare: boolean) => {
    for (; budget.hasRoom(now, isRare); spent += 0.5) budget.spend(0.5)
    return spent
  }
  // The room of 10 s is 10 ms.
  assert.deepEqual([spendAll(start, false), spendAll(start, true)], [5, 10])
  // Another 1.9 ms come, for what is rare.
  assert.deepEqual([spendAll(start + 1900, false), spendAll(start + 1900, true)], [10, 12])
  assert.deepEqual([spendAll(start + 100_000, false), spendAll(start + 100_000, true)], [17, 22])
  assert.equal(new Budget(0).hasRoom(start + 1e9, true), false)
  // Never more than 100 ms at once, and a stack in which the process was taken off the processor counts as one of 1 ms.
  const large = new Budget(0.5)
  let stacks = 0
  for (const now = performance.now(); large.hasRoom(now, true); stacks++) large.spend(1000)
  assert.equal(stacks, 100)
  // All the time, and it is spent.
  const all = new Budget(1)
  for (let now = start; now < start + 1000; now++) {
    assert.ok(all.hasRoom(now, false))
    all.spend(1)
  }
})

test('past the budget a wait is told as nobody knows whose, with the place where one like it was last seen, until it ends', t => {
  const waits = watch(t, ONE_STACK)
  let begun = performance.now()
  let timers: NodeJS.Timeout[] = []
  asOwner(function firstPlace () { timers = startTimers(1, LONG) })
  assert.deepEqual([waits.of(owner).pending.map(({ statement }) => statement), waits.unassignedSince(begun)], [[`setTimeout ${LONG} ms`], []])
  asOwner(() => { timers.push(...startTimers(1, LONG + 1), ...startTimers(1, LONG)) })
  begun = performance.now()
  timers.push(...startTimers(1, LONG))
  assert.equal(waits.of(owner).pending.length, 1)
  const told = waits.unassignedSince(0)
  assert.deepEqual(told.map(({ kind, statement, driver }) => [kind, statement, driver]), [LONG + 1, LONG, LONG].map(delay => ['timer', `setTimeout ${delay} ms`, 'node:timers']))
  assert.equal(told[0]!.lastSeen, undefined)
  assert.match(told[1]!.lastSeen!, /startTimers|live\.test/)
  assert.ok(told.every(({ start }) => start <= performance.now()))
  assert.equal(waits.unassignedSince(begun).length, 1)
  for (const timer of timers) clearTimeout(timer)
  assert.deepEqual([waits.of(owner).pending, waits.unassignedSince(0)], [[], []])
})

test('a wait in the callback of one whose owner is known is that owner\'s, without a stack of its own', async t => {
  const waits = watch(t, ONE_STACK)
  const pending = await new Promise<readonly string[]>(resolve => {
    asOwner(() => {
      setTimeout(() => {
        const [timer] = startTimers(1, LONG)
        resolve(waits.of(owner).pending.map(({ statement }) => statement))
        clearTimeout(timer)
      }, 1)
    })
  })
  assert.deepEqual(pending, [`setTimeout ${LONG} ms`])
})

test('waits of nobody knows whom are a thousand at most, the oldest', t => {
  const waits = watch(t, 0)
  const first = startTimers(1, LONG)
  const timers = startTimers(1100, LONG + 1)
  const told = waits.unassignedSince(0)
  assert.deepEqual([told.length, told[0]!.statement], [1000, `setTimeout ${LONG} ms`])
  for (const timer of [...first, ...timers]) clearTimeout(timer)
  assert.deepEqual(waits.unassignedSince(0), [])
})

test('while there is no owner, nothing is noted', t => {
  const waits = watch(t, 0, { any: () => false })
  const timers = startTimers(1, LONG)
  assert.deepEqual(waits.unassignedSince(0), [])
  for (const timer of timers) clearTimeout(timer)
})

test('who makes blocking calls is found out within the budget', t => {
  const callers: string[][] = []
  watch(t, ONE_STACK, { blocking: { begins: ({ whose }) => { callers.push(whose().stack) }, beginsOn () {}, ends () {} } })
  asOwner(function firstCall () { gzipSync('a') })
  asOwner(function secondCall () { gzipSync('a') })
  assert.equal(callers.length, 2)
  assert.match(callers[0]!.join(), /firstCall/)
  assert.deepEqual(callers[1], [])
})

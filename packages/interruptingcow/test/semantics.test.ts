import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { BoxError, type ErrorOption, type LateOutcome, Quota, timeout, TimeoutError } from '../src/index.ts'
import { until } from './until.ts'

const forever = () => new Promise<never>(() => {})
const spin = (): never => { for (;;); }

class Busy extends Error {}

/** The two ways to open a box that fails, as one: what both do alike is tested on both. */
const KINDS = {
  asynchronous: (limit: number, options?: { error?: ErrorOption, label?: string }) => timeout(limit, forever, options),
  synchronous: async (limit: number, options?: { error?: ErrorOption, label?: string }) => timeout.sync(limit, spin, options)
}

for (const [kind, late] of Object.entries(KINDS)) {
  describe(`an ${kind} box whose time is up`, () => {
    it('fails with a TimeoutError that tells the limit and the name', async () => {
      await assert.rejects(late(5, { label: 'loading' }), (error: unknown) => {
        assert.ok(error instanceof TimeoutError)
        assert.ok(error instanceof BoxError)
        assert.equal(error.code, 'GEORDI_BOX_TIMEOUT')
        assert.equal(error.limit, 5)
        assert.equal(error.message, 'loading took longer than its limit of 5 ms.')
        return true
      })
    })

    it('fails with an error of the class, the instance or what the function makes', async () => {
      const instance = new Busy('busy')
      await assert.rejects(late(5, { error: Busy }), (error: unknown) => error instanceof Busy && /longer than its limit of 5 ms/.test(error.message))
      await assert.rejects(late(5, { error: instance }), (error: unknown) => error === instance)
      await assert.rejects(late(5, { error: timeout => new Busy('made', { cause: timeout }) }),
        (error: unknown) => error instanceof Busy && error.cause instanceof TimeoutError)
      await assert.rejects(late(5, { error: Error }), /^Error: /)
    })

    it('fails with what the function for its error throws', async () => {
      await assert.rejects(late(5, { error: () => { throw new Busy('thrown') } }), (error: unknown) => error instanceof Busy && error.message === 'thrown')
      class Broken extends Error { constructor () { super(); throw new Busy('broken') } }
      await assert.rejects(late(5, { error: Broken }), /broken/)
    })
  })
}

describe('what a box is given', () => {
  for (const limit of [0, -1, NaN, -Infinity, '20s', undefined]) {
    it(`refuses ${String(limit)} as a limit, on entry`, () => {
      const body = () => { assert.fail('the body ran') }
      assert.throws(() => { timeout(limit as number, body) }, RangeError)
      assert.throws(() => timeout.sync(limit as number, body), RangeError)
      assert.throws(() => timeout.wrap(limit as number, body), RangeError)
      assert.throws(() => timeout.sync.wrap(limit as number, body), RangeError)
    })
  }

  it('takes no limit at all, and one that is longer than timers can be', async () => {
    assert.equal(await timeout(Infinity, async () => 1), 1)
    assert.equal(timeout.sync(Infinity, () => 2), 2)
    assert.equal(await timeout(2 ** 40, () => sleep(5, 3)), 3)
    assert.equal(timeout.sync(2 ** 40, () => 4), 4)
    assert.equal(timeout.sync(60_000.5, () => 5), 5)
  })

  it('refuses what is no function, and options that are none', () => {
    const refused = { code: 'GEORDI_BOX_BAD_OPTION' }
    for (const body of [undefined, null, 5, 'text', Promise.resolve(1)]) {
      assert.throws(() => { timeout(5, body as never) }, refused)
      assert.throws(() => timeout.sync(5, body as never), refused)
      assert.throws(() => timeout.wrap(5, body as never), refused)
      assert.throws(() => timeout.sync.wrap(5, body as never), refused)
    }
    for (const options of [null, 5, 'text', Busy]) {
      assert.throws(() => { timeout(5, forever, options as never) }, refused)
      assert.throws(() => timeout.sync(5, spin, options as never), refused)
    }
  })

  it('names an option that it does not take', () => {
    const wrong: unknown[] = [{ errors: Busy }, { error: 'busy' }, { label: 1 }, { onLate: 1 }, { onCleanupError: 'log' }, { cleanupLimit: '1s' }]
    for (const options of wrong) {
      const name = Object.keys(options as object)[0]!
      const names = { code: 'GEORDI_BOX_BAD_OPTION', message: new RegExp(`"${name}"`) }
      assert.throws(() => { timeout(5, forever, options as object) }, names)
      assert.throws(() => timeout.sync(5, spin, options as object), names)
    }
    assert.throws(() => timeout.sync(5, spin, { cleanupLimit: 0 }), RangeError)
  })
})

describe('timeout', () => {
  it('gives what the body gives, also without a promise', async () => {
    assert.equal(await timeout(60_000, () => 1), 1)
    assert.equal(await timeout(60_000, async () => 2), 2)
    assert.equal(await timeout(60_000, () => sleep(5, 3)), 3)
    await assert.rejects(timeout(60_000, async () => { throw new Busy() }), Busy)
    await assert.rejects(timeout(60_000, () => { throw new Busy() }), Busy)
  })

  it('aborts the signal with the error, and rejects with the same one', async () => {
    let signal: AbortSignal | undefined
    const error = await timeout(5, box => { signal = box.signal; return forever() }).catch((error: unknown) => error)
    assert.equal(signal?.aborted, true)
    assert.equal(signal?.reason, error)
  })

  it('aborts a signal that is first read when the time is up', async () => {
    let box: { signal: AbortSignal } | undefined
    const error = await timeout(5, given => { box = given; return forever() }).catch((error: unknown) => error)
    assert.equal(box?.signal.aborted, true)
    assert.equal(box?.signal.reason, error)
  })

  it('leaves the signal alone when the body is in time', async t => {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    let signal: AbortSignal | undefined
    await timeout(60_000, async box => { signal = box.signal })
    t.mock.timers.tick(70_000)
    assert.equal(signal?.aborted, false)
  })

  it('tells the observer, and nobody else, how work that was given up ended', async () => {
    const seen: LateOutcome[] = []
    const unhandled: unknown[] = []
    const listener = (error: unknown) => { unhandled.push(error) }
    process.on('unhandledRejection', listener)
    try {
      const late = new Busy('late')
      const onLate = (outcome: LateOutcome) => { seen.push(outcome) }
      await assert.rejects(timeout(5, () => sleep(20, 'value'), { onLate }), TimeoutError)
      await assert.rejects(timeout(5, async () => { await sleep(20); throw late }, { onLate }), TimeoutError)
      await assert.rejects(timeout(5, async () => { await sleep(20); throw late }), TimeoutError)
      await sleep(60)
      assert.deepEqual(seen, [{ status: 'fulfilled', value: 'value' }, { status: 'rejected', reason: late }])
      assert.deepEqual(unhandled, [])
    } finally {
      process.off('unhandledRejection', listener)
    }
  })

  it('comes to its end where an observer throws, and tells of that in a warning', async () => {
    const warned: string[] = []
    const listener = (warning: Error) => { if (warning.name === 'BoxObserverWarning') warned.push(warning.message) }
    process.on('warning', listener)
    try {
      const broken = () => { throw new Error('observer') }
      const options = { onLate: broken, onCleanupError: broken }
      const failing = (box: { defer (cleanup: () => unknown): void }) => { box.defer(() => { throw new Error('cleanup') }) }
      await assert.rejects(timeout(50, async box => { failing(box); await sleep(100) }, options), { code: 'GEORDI_BOX_TIMEOUT' })
      assert.throws(() => timeout.sync(60_000, box => { failing(box); throw new Busy('body') }, { onCleanupError: broken }), /body/)
      await until(() => warned.length === 3)
      assert.match(warned.join('\n'), /`onCleanupError` of a time box failed: Error: observer[^]*`onLate` of a time box failed/)
    } finally {
      process.off('warning', listener)
    }
  })

  it('fails also where the body blocked the timer until it ended', async () => {
    const seen: LateOutcome[] = []
    const block = async () => {
      const until = performance.now() + 10
      while (performance.now() < until);
      return 'late'
    }
    await assert.rejects(timeout(5, block, { onLate: outcome => { seen.push(outcome) } }), TimeoutError)
    assert.deepEqual(seen, [{ status: 'fulfilled', value: 'late' }])
  })

  it('goes by the timers that a test moves', async t => {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const outer = assert.rejects(timeout(30_000, async () => {
      await assert.rejects(timeout(20_000, forever, { label: 'inner' }), /inner/)
      await forever()
    }, { label: 'outer' }), /outer/)
    t.mock.timers.tick(20_000)
    await new Promise(resolve => { setImmediate(resolve) })
    t.mock.timers.tick(10_000)
    await outer
  })

  it('keeps name, length and this of what it wraps, and passes arguments and results', async () => {
    const counter = {
      count: 5,
      add: timeout.wrap(60_000, async function add (this: { count: number }, a: number, b: number) { return this.count + a + b })
    }
    assert.equal(counter.add.name, 'add')
    assert.equal(counter.add.length, 2)
    assert.equal(await counter.add(1, 2), 8)
    const slow = timeout.wrap(5, async function slow () { await forever() }, { error: Busy })
    await assert.rejects(slow(), /slow took longer/)
    await assert.rejects(slow(), Busy)
  })
})

describe('timeout.sync', () => {
  it('gives what the body gives or throws', () => {
    const thrown = new Busy()
    assert.equal(timeout.sync(60_000, () => 1), 1)
    assert.equal(timeout.sync(60_000, () => undefined), undefined)
    assert.throws(() => timeout.sync(60_000, () => { throw thrown }), (error: unknown) => error === thrown)
    assert.throws(() => timeout.sync(60_000, () => { throw undefined }), (error: unknown) => error === undefined) // eslint-disable-line no-throw-literal
  })

  it('runs no catch and no finally of the body', () => {
    const ran: string[] = []
    assert.throws(() => timeout.sync(5, () => {
      try { spin() } catch { ran.push('catch') } finally { ran.push('finally') }
    }), TimeoutError)
    assert.deepEqual(ran, [])
  })

  it('fails when what can not be interrupted ends too late', () => {
    const text = `[${'1,'.repeat(2_000_000)}1]`
    assert.throws(() => timeout.sync(1, () => JSON.parse(text)), TimeoutError)
  })

  it('refuses a body that goes on asynchronously', async () => {
    assert.throws(() => timeout.sync(60_000, async () => { throw new Busy() }), { code: 'GEORDI_BOX_REFUSED', message: /Use `timeout`/ })
    await sleep(1) // an unhandled rejection would fail this test
  })

  it('refuses asynchronous boxes in it', () => {
    const refused = { code: 'GEORDI_BOX_REFUSED', message: /Use `timeout.sync` in the box as well/ }
    const quota = new Quota(1000)
    assert.throws(() => timeout.sync(60_000, () => { timeout(quota, forever) }), refused)
    assert.throws(() => timeout.sync(60_000, () => { timeout.isolated(500, 'file:///nowhere.js') }), refused)
    assert.equal(quota.running(), false)
  })

  it('survives a body that fills the stack', () => {
    const recurse = (): number => 1 + recurse()
    assert.throws(() => timeout.sync(60_000, recurse), /Maximum call stack/)
    const deep = (): unknown => { try { return deep() } catch { return timeout.sync(60_000, () => 1) } }
    try { deep() } catch (error) { assert.match(String(error), /Maximum call stack/) }
    const nest = (): unknown => timeout.sync(Infinity, nest)
    assert.throws(nest, /Maximum call stack/)
    const nestTimed = (limit: number): unknown => timeout.sync(limit, () => nestTimed(limit - 150))
    assert.throws(() => nestTimed(60_000))
    assert.equal(timeout.sync(60_000, () => setTimeout.name), 'replacement')
    assert.equal(setTimeout.name, 'setTimeout')
  })

  it('keeps name, length and this of what it wraps', () => {
    const counter = { count: 5, add: timeout.sync.wrap(60_000, function add (this: { count: number }, a: number, b: number) { return this.count + a + b }) }
    assert.equal(counter.add.name, 'add')
    assert.equal(counter.add.length, 2)
    assert.equal(counter.add(1, 2), 8)
    assert.throws(timeout.sync.wrap(5, function slow () { spin() }, { error: Busy }), /slow took longer/)
  })
})

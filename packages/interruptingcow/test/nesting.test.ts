import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { currentBox, currentDeadline, deadlineSignal, detached, Quota, timeout, TimeoutError } from '../src/index.ts'

const forever = () => new Promise<never>(() => {})
const spin = (): never => { for (;;); }

/** Takes no processor, and can be interrupted like a loop. */
const wait = (): unknown => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
const named = (label: string) => ({ label, error: (cause: TimeoutError) => Object.assign(new Error(label), { cause }) })

function block (milliseconds: number): void {
  const until = performance.now() + milliseconds
  while (performance.now() < until);
}

describe('boxes in boxes', () => {
  it('the outer one wins where it is due first, comes together with the inner, or is overrun', async () => {
    for (const inner of [10_000, 20, 20.5]) {
      await assert.rejects(timeout(20, () => timeout(inner, forever, named('inner')), named('outer')), /outer/)
      assert.throws(() => timeout.sync(20, () => timeout.sync(inner, spin, named('inner')), named('outer')), /outer/)
    }
    await assert.rejects(timeout(20, () => timeout(10, async () => { block(30) }, named('inner')), named('outer')), /outer/)
  })

  it('the inner one wins where it is due first, and the outer one goes on with what remains', async () => {
    const started = performance.now()
    await assert.rejects(timeout(300, async () => {
      await assert.rejects(timeout(10, forever, named('inner')), /inner/)
      await forever()
    }, named('outer')), /outer/)
    const again = performance.now()
    assert.ok(again - started >= 299)
    assert.throws(() => timeout.sync(300, () => {
      assert.throws(() => timeout.sync(10, spin, named('inner')), /inner/)
      wait()
    }, named('outer')), /outer/)
    assert.ok(performance.now() - again >= 299)
  })

  it('a synchronous one in an asynchronous one goes by whichever is due first', async () => {
    await assert.rejects(timeout(20, async () => timeout.sync(10_000, spin, named('sync')), named('async')), /async/)
    await assert.rejects(timeout(10_000, async () => timeout.sync(10, spin, named('sync')), named('async')), /sync/)
  })

  it('in one that is late nothing is begun any more', async () => {
    let late: Promise<unknown> | undefined
    let ran = false
    await assert.rejects(timeout(5, async () => {
      await sleep(15)
      late = assert.rejects(timeout(60_000, async () => { ran = true }), /outer/)
      assert.throws(() => timeout.sync(60_000, () => { ran = true }), /outer/)
      assert.equal(deadlineSignal()?.aborted, true)
      assert.ok(currentDeadline() < performance.now())
      assert.equal(await detached(() => timeout(60_000, async () => 'detached')), 'detached')
      return forever()
    }, named('outer')), /outer/)
    await sleep(30)
    await late
    assert.ok(late !== undefined)
    assert.equal(ran, false)
  })

  it('boxes that nobody waits for fail with the one around them, and surface nowhere', async () => {
    const unhandled: unknown[] = []
    const listener = (error: unknown) => { unhandled.push(error) }
    process.on('unhandledRejection', listener)
    try {
      let signal: AbortSignal | undefined
      await assert.rejects(timeout(200, async () => {
        timeout(60_000, box => { signal = box.signal; return forever() })
        await forever()
      }, named('outer')), /outer/)
      assert.equal((signal?.reason as Error).message, 'outer')
      await sleep(10)
      assert.deepEqual(unhandled, [])
    } finally {
      process.off('unhandledRejection', listener)
    }
  })

  it('a box that outlives the one around it gets its own limit back, and that of the next one', async t => {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const pass = async (milliseconds: number) => {
      await new Promise(resolve => { setImmediate(resolve) })
      t.mock.timers.tick(milliseconds)
    }
    const left: Array<Promise<unknown>> = []
    const outer = assert.rejects(timeout(30_000, async () => {
      await timeout(10_000, async () => {
        left.push(assert.rejects(timeout(15_000, forever, named('left')), /left/), assert.rejects(timeout(60_000, forever, named('long')), /outer/))
        left.push(assert.rejects(timeout(60_000, () => timeout(65_000, forever)), /outer/))
      })
      await forever()
    }, named('outer')), /outer/)
    await pass(15_000)
    await left[0]
    await pass(15_000)
    await Promise.all([outer, ...left])
    await timeout(20_000, async () => { left.push(assert.rejects(timeout(25_000, forever, named('own')), /own/)) })
    await pass(25_000)
    await Promise.all(left)
  })

  it('recursion goes by the deadline of the outermost call', async () => {
    const recurse: (depth: number) => Promise<void> = timeout.wrap(40, async depth => { await sleep(5); await recurse(depth + 1) })
    const started = performance.now()
    await assert.rejects(recurse(0), TimeoutError)
    assert.ok(performance.now() - started >= 39)
    let calls = 0
    const recurseSync: () => void = timeout.sync.wrap(200, () => { calls++; block(1); recurseSync() })
    assert.throws(recurseSync, TimeoutError)
    assert.ok(calls > 1 && calls <= 200)
  })

  // V8 counts one termination then, which the inner box takes; and it takes one request for another in a turn of the event loop.
  it('the outer limit holds where both terminations came during one native call, again and again, whatever the body catches', () => {
    const text = `[${'1,'.repeat(1_500_000)}1]`
    let outlasted = 0
    for (let i = 0; outlasted < 4; i++) {
      const ran: string[] = []
      assert.throws(() => timeout.sync(15, box => {
        box.defer(() => { ran.push('outer') })
        try {
          timeout.sync(5, inner => {
            inner.defer(() => { ran.push('inner') })
            return [JSON.parse(text), JSON.parse(text), JSON.parse(text)].length
          }, named('inner'))
        } catch (error) {
          // Only where the inner box was in time: the machine was busy, and the call had not begun.
          if (box.remaining() < 1 || !/inner/.test(String(error))) ran.push('caught')
          else ran.length = 0
        }
        spin()
      }, named('outer')), /outer/)
      if (ran.length === 2) outlasted++
      assert.deepEqual(ran, ran.length === 1 ? ['outer'] : ['inner', 'outer'])
      assert.equal(timeout.sync(60_000, () => i), i)
    }
  })

  it('so it does through three boxes, and where a regular expression or a sort outlasts them all', () => {
    const bodies: Array<() => unknown> = [
      () => /^(a+)+$/.test('a'.repeat(22) + 'b'),
      () => Array.from({ length: 300_000 }, (_, i) => i * 7919 % 300_007).sort(),
      () => structuredClone(Array.from({ length: 200_000 }, i => ({ i })))
    ]
    for (const body of bodies) {
      const caught: unknown[] = []
      assert.throws(() => timeout.sync(21, () => {
        for (;;) {
          try {
            timeout.sync(14, () => {
              try { timeout.sync(7, () => { for (;;) body() }, named('inner')) } catch (error) { caught.push(error) }
              for (;;) body()
            }, named('middle'))
          } catch (error) { caught.push(error) }
        }
      }, named('outer')), /outer/)
      assert.ok(caught.every(error => !/outer/.test(String(error))), String(caught))
    }
  })

  it('the outer limit holds where the body swallows inner failures', () => {
    assert.throws(() => timeout.sync(60, () => {
      for (;;) { try { timeout.sync(2, spin) } catch {} }
    }, named('outer')), /outer/)
  })
})

describe('deadlines and async contexts', () => {
  it('pass through awaits, timers and callbacks', async () => {
    assert.equal(currentDeadline(), Infinity)
    assert.equal(deadlineSignal(), undefined)
    assert.equal(currentBox(), undefined)
    await timeout(60_000, async box => {
      const deadline = currentDeadline()
      assert.ok(deadline > performance.now() && deadline <= performance.now() + 60_000)
      await sleep(2)
      assert.equal(currentDeadline(), deadline)
      assert.equal(deadlineSignal(), box.signal)
      assert.equal(currentBox(), box)
      await new Promise<void>(resolve => { setImmediate(() => { assert.equal(currentDeadline(), deadline); resolve() }) })
      await timeout(70_000, async inner => {
        assert.equal(currentDeadline(), deadline)
        assert.ok(inner.remaining() <= 60_000)
      })
      assert.equal(timeout.sync(30_000, () => currentDeadline() < deadline), true)
      assert.equal(currentBox(), box)
    })
    assert.equal(currentDeadline(), Infinity)
  })

  it('concurrent ones do not see each other', async () => {
    const results = await Promise.allSettled(Array.from({ length: 200 }, (_, i) => timeout(i % 2 === 0 ? 20 : 60_000, async () => {
      const deadline = currentDeadline()
      await sleep(i % 2 === 0 ? 200 : 40)
      assert.equal(currentDeadline(), deadline)
      return i
    })))
    results.forEach((result, i) => { assert.equal(result.status, i % 2 === 0 ? 'rejected' : 'fulfilled') })
  })

  it('what an ended box began is free of it', async () => {
    let later: Promise<number> | undefined
    await timeout(20, async () => { later = sleep(30).then(() => currentDeadline()) })
    assert.equal(await later, Infinity)
  })

  it('no timer is left, and nothing fires late', async () => {
    const timers = () => process.getActiveResourcesInfo().filter(name => name === 'Timeout').length
    const before = timers()
    for (let i = 0; i < 100; i++) await timeout(20_000, async () => timeout(10_000, async () => i))
    assert.ok(timers() <= before)
    await Promise.allSettled([timeout(1, forever), timeout(1, () => timeout(500, forever))])
    assert.ok(timers() <= before)
  })
})

describe('a quota', () => {
  it('is consumed only inside, and counts nested and concurrent use once', async () => {
    const quota = new Quota(60_000)
    assert.equal(quota.running(), false)
    assert.equal(quota.remaining(), 60_000)
    const started = performance.now()
    await timeout(quota, async () => {
      assert.equal(quota.running(), true)
      await timeout(quota, () => Promise.all([timeout(quota, () => sleep(30)), timeout(quota, () => sleep(30))]))
    })
    assert.equal(quota.running(), false)
    const left = quota.remaining()
    assert.ok(left >= 60_000 - (performance.now() - started) && left <= 60_000 - 29, String(left))
    await sleep(20)
    assert.equal(quota.remaining(), left)
    const again = performance.now()
    timeout.sync(quota, () => { timeout.sync(quota, () => { block(10) }) })
    assert.ok(quota.remaining() <= left - 10 && quota.remaining() >= left - (performance.now() - again))
  })

  it('interrupts when it is used up, and from then on nothing runs', async () => {
    const quota = new Quota(1000)
    await timeout(quota, () => sleep(10))
    await assert.rejects(timeout(quota, forever), { code: 'GEORDI_BOX_TIMEOUT' })
    assert.equal(quota.remaining(), 0)
    assert.equal(quota.running(), false)
    const body = () => { assert.fail('the body ran') }
    await assert.rejects(timeout(quota, body), { code: 'GEORDI_BOX_QUOTA_EXHAUSTED', name: 'TimeoutError' })
    assert.throws(() => timeout.sync(quota, body), { code: 'GEORDI_BOX_QUOTA_EXHAUSTED' })
    await assert.rejects(timeout(quota, body, named('mine')), /mine/)
  })

  it('interrupts synchronous code as well', () => {
    const quota = new Quota(1000)
    timeout.sync(quota, () => { block(10) })
    assert.throws(() => timeout.sync(quota, wait), { code: 'GEORDI_BOX_TIMEOUT' })
    assert.equal(quota.remaining(), 0)
    assert.throws(() => timeout.sync(quota, spin), { code: 'GEORDI_BOX_QUOTA_EXHAUSTED' })
  })

  it('is left by every box that a box around it interrupts', async () => {
    const quota = new Quota(600_000)
    assert.throws(() => timeout.sync(10, () => timeout.sync(quota, spin)), TimeoutError)
    await assert.rejects(timeout(10, () => timeout(quota, forever)), TimeoutError)
    assert.equal(quota.running(), false)
    assert.ok(quota.remaining() > 500_000)
  })

  it('is right wherever an interruption falls between its lines', () => {
    const quota = new Quota(600_000)
    for (let i = 0; i < 100; i++) {
      assert.throws(() => timeout.sync(1 + i % 3, () => { for (;;) timeout.sync(quota, () => i) }), TimeoutError)
      assert.equal(quota.running(), false)
    }
    assert.ok(quota.remaining() > 500_000)
    timeout.sync(quota, () => { assert.equal(quota.running(), true) })
  })

  for (const amount of [0, -1, NaN]) it(`refuses ${amount}`, () => { assert.throws(() => new Quota(amount), RangeError) })
})

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { currentDeadline, timeout, TimeoutError } from '../src/index.ts'

const forever = () => new Promise<never>(() => {})
const spin = (): never => { for (;;); }

/** Takes no processor, and can be interrupted like a loop. */
const wait = (): unknown => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)

/** A thing with a method for its disposal, as `using` takes. */
function disposable (name: string, closed: string[]): Disposable & { name: string } {
  return { name, [Symbol.dispose] () { closed.push(this.name) } }
}

function asyncDisposable (name: string, closed: string[]): AsyncDisposable {
  return { async [Symbol.asyncDispose] () { await sleep(1); closed.push(name) } }
}

/** The ways in which a box ends. */
const ENDS: Record<string, { body: () => Promise<unknown>, sync: () => unknown }> = {
  'is interrupted': { body: forever, sync: wait },
  throws: { body: async () => { throw new Error('thrown') }, sync: () => { throw new Error('thrown') } },
  'ends well': { body: async () => 1, sync: () => 1 }
}

for (const [end, { body, sync }] of Object.entries(ENDS)) {
  const limit = end === 'is interrupted' ? 500 : 60_000
  describe(`the cleanup of a box that ${end}`, () => {
    it('runs in reverse order, before the box fails or gives its result', async () => {
      const closed: string[] = []
      await timeout(limit, async box => {
        box.defer(() => { closed.push('first') })
        box.defer(async () => { await sleep(2); closed.push('second') })
        box.use(asyncDisposable('third', closed))
        assert.equal(box.use(disposable('fourth', closed)).name, 'fourth')
        assert.equal(await box.acquire(() => 5, value => { closed.push(`acquired ${value}`) }), 5)
        await box.acquire(async () => disposable('acquired disposable', closed))
        await body()
      }).catch(() => {})
      assert.deepEqual(closed, ['acquired disposable', 'acquired 5', 'fourth', 'third', 'second', 'first'])
    })

    it('runs in reverse order in a synchronous box', () => {
      const closed: string[] = []
      try {
        timeout.sync(limit, box => {
          box.defer(() => { closed.push('first') })
          box.use(disposable('second', closed))
          assert.equal(box.acquire(() => 5, value => { closed.push(`acquired ${value}`) }), 5)
          box.acquire(() => disposable('acquired disposable', closed))
          sync()
        })
      } catch {}
      assert.deepEqual(closed, ['acquired disposable', 'acquired 5', 'second', 'first'])
    })

    it('goes on after one that fails', async () => {
      const closed: string[] = []
      const failures: string[] = []
      const onCleanupError = (error: unknown) => { failures.push((error as Error).message) }
      const fail = (name: string) => () => { throw new Error(name) }
      const settled = await timeout(limit, async box => {
        box.defer(() => { closed.push('last') })
        box.defer(fail('one'))
        box.defer(async () => { fail('two')() })
        await body()
      }, { onCleanupError }).catch((error: unknown) => (error as Error).message)
      assert.deepEqual(closed, ['last'])
      try {
        timeout.sync(limit, box => {
          box.defer(() => { closed.push('last') })
          box.defer(fail('one'))
          box.defer(fail('two'))
          sync()
        }, { onCleanupError })
        assert.fail('it must throw')
      } catch (error) {
        if (end === 'ends well') assert.equal((error as Error).message, 'two')
      }
      assert.deepEqual(closed, ['last', 'last'])
      // In a box that ended well, the first error is what it fails with, as with `using`.
      if (end === 'ends well') assert.equal(settled, 'two')
      assert.deepEqual(failures, end === 'ends well' ? ['one', 'one'] : ['two', 'one', 'two', 'one'])
    })
  })
}

describe('cleanup', () => {
  it('runs in reverse order across boxes: what is inside first', async () => {
    const closed: string[] = []
    await assert.rejects(timeout(300, async outer => {
      outer.defer(() => { closed.push('outer') })
      await timeout(60_000, async inner => {
        inner.defer(async () => { await sleep(5); closed.push('inner') })
        await forever()
      })
    }))
    assert.throws(() => timeout.sync(300, outer => {
      outer.defer(() => { closed.push('outer') })
      timeout.sync(60_000, inner => {
        inner.defer(() => { closed.push('inner') })
        wait()
      })
    }))
    assert.deepEqual(closed, ['inner', 'outer', 'inner', 'outer'])
  })

  it('of an inner box that had begun its own when the outer time was up is waited for', async () => {
    const closed: string[] = []
    await assert.rejects(timeout(300, async outer => {
      outer.defer(() => { closed.push('outer') })
      await timeout(60_000, async inner => { inner.defer(async () => { await sleep(500); closed.push('inner') }) })
      await forever()
    }))
    assert.deepEqual(closed, ['inner', 'outer'])
  })

  it('has a time of its own, together; those after one that hangs are run all the same', async () => {
    const closed: string[] = []
    const failures: unknown[] = []
    const options = { cleanupLimit: 30, onCleanupError: (error: unknown) => { failures.push((error as TimeoutError).code) } }
    const started = performance.now()
    await assert.rejects(timeout(5, async box => {
      box.defer(() => { closed.push('async') })
      box.defer(forever)
      await forever()
    }, options), { code: 'GEORDI_BOX_TIMEOUT' })
    assert.ok(performance.now() - started >= 33)
    assert.throws(() => timeout.sync(200, box => {
      box.defer(() => { closed.push('sync') })
      box.defer(spin)
      box.defer(spin)
      spin()
    }, options), { code: 'GEORDI_BOX_TIMEOUT' })
    assert.deepEqual(closed, ['async', 'sync'])
    assert.ok(failures.length >= 3)
    assert.deepEqual([...new Set(failures)], ['GEORDI_BOX_CLEANUP_TIMEOUT'])
  })

  it('may use boxes itself, and is not in the one that is over', async () => {
    const seen: unknown[] = []
    await assert.rejects(timeout(5, async box => {
      box.defer(async () => { seen.push(await timeout(60_000, async () => 'boxed'), currentDeadline() > performance.now()) })
      await forever()
    }))
    assert.throws(() => timeout.sync(200, box => {
      box.defer(() => { seen.push(timeout.sync(60_000, () => 'boxed'), currentDeadline() > performance.now()) })
      spin()
    }))
    assert.deepEqual(seen, ['boxed', true, 'boxed', true])
  })

  it('of a synchronous box that the one around it interrupts is run by that one', () => {
    const closed: string[] = []
    assert.throws(() => timeout.sync(1500, () => {
      timeout.sync(300, box => {
        box.defer(() => { closed.push('second') })
        box.defer(() => { closed.push('first'); if (closed.length === 1) wait() })
        wait()
      }, { cleanupLimit: 60_000 })
    }, { label: 'outer' }), /outer/)
    assert.deepEqual(closed, ['first', 'first', 'second'])
  })

  it('tells of failures in a warning where nobody observes', async () => {
    const warned = new Promise<Error>(resolve => { process.once('warning', resolve) })
    await assert.rejects(timeout(5, async box => { box.defer(() => { throw new Error('broken') }); await forever() }), TimeoutError)
    assert.match((await warned).message, /cleanup of a time box failed: Error: broken/)
  })

  it('refuses what can not be cleaned up', async () => {
    const refused = { code: 'GEORDI_BOX_BAD_OPTION' }
    await timeout(60_000, async box => {
      assert.throws(() => { box.defer(1 as never) }, refused)
      assert.throws(() => box.use({} as never), refused)
    })
    await assert.rejects(timeout(60_000, async box => { await box.acquire(() => 1 as never) }), refused)
    assert.throws(() => timeout.sync(60_000, box => box.use(null as never)), refused)
  })
})

describe('acquire', () => {
  it('closes what opens late, and does not hand it out', async () => {
    const closed: unknown[] = []
    let outcome: unknown
    await assert.rejects(timeout(5, async box => {
      outcome = await box.acquire(() => sleep(20, 'late'), value => { closed.push(value) }).catch((error: unknown) => error)
    }), TimeoutError)
    assert.deepEqual(closed, [])
    await sleep(30)
    assert.deepEqual(closed, ['late'])
    assert.ok(outcome instanceof TimeoutError)
  })

  it('opens nothing in a box that is over', async () => {
    let opened = 0
    let late: unknown
    await assert.rejects(timeout(5, async box => {
      await sleep(15)
      late = await box.acquire(() => { opened++ }, () => {}).catch((error: unknown) => error)
    }), TimeoutError)
    await sleep(20)
    assert.ok(late instanceof TimeoutError)
    const ended = await timeout(60_000, async box => box)
    await assert.rejects(ended.acquire(() => { opened++ }, () => {}), { code: 'GEORDI_BOX_REFUSED' })
    const endedSync = timeout.sync(60_000, box => box)
    assert.throws(() => endedSync.acquire(() => { opened++ }, () => {}), { code: 'GEORDI_BOX_REFUSED' })
    assert.equal(opened, 0)
  })

  it('runs what is deferred in a box that is over at once', async () => {
    const ran: string[] = []
    const box = await timeout(60_000, async box => box)
    box.defer(() => { ran.push('async') })
    timeout.sync(60_000, box => box).defer(() => { ran.push('sync') })
    await sleep(1)
    assert.deepEqual(ran, ['async', 'sync'])
  })

  it('does not close what never opened', async () => {
    const close = () => { assert.fail('closed') }
    const open = () => { throw new Error('full') }
    await assert.rejects(timeout(60_000, box => box.acquire(open, close)), /full/)
    await assert.rejects(timeout(60_000, box => box.acquire(async () => { open() }, close)), /full/)
    assert.throws(() => timeout.sync(60_000, box => box.acquire(open, close)), /full/)
  })

  it('leaves no lock behind, wherever the interruption falls', () => {
    let held = 0
    let wrong = 0
    for (let i = 0; i < 300; i++) {
      assert.throws(() => timeout.sync(1 + i % 3, box => {
        for (;;) timeout.sync(60_000, inner => { inner.acquire(() => { held = 1 }, () => { held = 0 }); box.remaining() })
      }), TimeoutError)
      if (held !== 0) wrong++
      held = 0
    }
    assert.equal(wrong, 0)
  })

  it('gives a pool its connections back, on time and late', async () => {
    const pool = { free: 3 }
    const connect = async () => {
      while (pool.free === 0) await sleep(1)
      pool.free--
      await sleep(3)
      return { [Symbol.dispose]: () => { pool.free++ } }
    }
    const results = await Promise.allSettled(Array.from({ length: 60 }, (_, i) => timeout(i % 6 === 0 ? 60_000 : 1 + i % 12, async box => {
      await box.acquire(connect)
      await sleep(4)
    })))
    assert.ok(results.some(({ status }) => status === 'rejected') && results.some(({ status }) => status === 'fulfilled'))
    while (pool.free < 3) await sleep(1)
    await sleep(20)
    assert.equal(pool.free, 3)
  })
})

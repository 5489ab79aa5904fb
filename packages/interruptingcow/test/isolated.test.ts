import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { describe, it } from 'node:test'
import { currentDeadline, Quota, timeout, TimeoutError } from '../src/index.ts'
import { isAlive, until } from './until.ts'

const work = new URL('../../test/fixtures/work.js', import.meta.url)

describe('timeout.isolated', () => {
  for (const runtime of ['process', 'thread'] as const) {
    it(`calls a function of a module in a ${runtime}, with copies`, async () => {
      assert.equal(await timeout.isolated(60_000, work, [2, 3], { runtime }), 5)
      assert.equal(await timeout.isolated(60_000, work.href, [2, 3], { runtime }), 5)
      assert.equal(await timeout.isolated(60_000, work, [new Map([[1, 2], [3, 4]])], { export: 'sum', runtime }), 6)
      assert.equal(await timeout.isolated(60_000, work, [], { export: 'pid', runtime }) === process.pid, runtime === 'thread')
      await assert.rejects(timeout.isolated(60_000, work, [], { export: 'fail', runtime }), { name: 'RangeError', message: 'it failed', code: 'FAILED' })
      await assert.rejects(timeout.isolated(60_000, work, [], { export: 'notAFunction', runtime }), /exports no function called "notAFunction"/)
    })

    it(`tells of what can't be copied from a ${runtime}, and goes on`, async () => {
      await assert.rejects(timeout.isolated(60_000, work, [], { export: 'uncloneable', runtime }), /"uncloneable" of file:.* returned can't be copied: .* could not be cloned/)
      await assert.rejects(timeout.isolated(60_000, work, [], { export: 'throwUncloneable', runtime }), { name: 'RangeError', message: 'odd', code: 'ODD' })
      await assert.rejects(timeout.isolated(60_000, work, [], { export: 'throwFunction', runtime }), /What was thrown can't be copied/)
      await assert.rejects(timeout.isolated(60_000, work, [], { export: 'throwObject', runtime }), (error: unknown) => (error as { a?: unknown }).a === 1)
      await assert.rejects(timeout.isolated(60_000, work, [() => 1], { runtime }), { name: 'DataCloneError' })
      assert.equal(await timeout.isolated(60_000, work, [2, 3], { runtime }), 5)
    })

    it(`tells of a module that can't be loaded in a ${runtime}`, async () => {
      await assert.rejects(timeout.isolated(60_000, new URL('nowhere.js', work), [], { runtime }), { code: 'ERR_MODULE_NOT_FOUND' })
      await assert.rejects(timeout.isolated(60_000, 'data:text/javascript,export default (', [], { runtime }), SyntaxError)
      await assert.rejects(timeout.isolated(60_000, 'data:text/javascript,throw Object.assign(new Error("at load"), { code: "AT_LOAD" })', [], { runtime }), { code: 'AT_LOAD' })
    })

    it(`interrupts an endless loop and the promise job loop in a ${runtime}`, async () => {
      for (const name of ['spin', 'jobs']) {
        await assert.rejects(timeout.isolated(300, work, [], { export: name, runtime, error: cause => new Error('mine', { cause }) }),
          (error: Error) => error.message === 'mine' && error.cause instanceof TimeoutError)
      }
      assert.equal(await timeout.isolated(60_000, work, [2, 3], { runtime }), 5)
    })
  }

  it('kills a process whatever it is in the middle of: one long native call, a blocking read', async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'interruptingcow-'))
    try {
      const pipe = path.join(folder, 'pipe')
      execFileSync('mkfifo', [pipe])
      for (const [name, args] of [['hash', []], ['read', [pipe]]] as const) {
        const pid = await timeout.isolated<number>(60_000, work, [], { export: 'pid' })
        await assert.rejects(timeout.isolated(300, work, args, { export: name }), TimeoutError)
        await until(() => !isAlive(pid))
      }
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })

  it('tells of a process that ends by itself or is killed, and goes on in another one', async () => {
    for (const name of ['exit', 'kill', 'orphan']) {
      await assert.rejects(timeout.isolated(60_000, work, [], { export: name }), { code: 'GEORDI_BOX_DIED', message: new RegExp(`"${name}" of file:`) })
      assert.equal(await timeout.isolated(60_000, work, [2, 3]), 5)
    }
  })

  it('goes on with calls that wait when those before them are killed', async () => {
    const results = await Promise.allSettled(Array.from({ length: 12 }, (_, i) => i < 8
      ? timeout.isolated(300, work, [], { export: 'spin' })
      : timeout.isolated(60_000, work, [i, 1])))
    assert.deepEqual(results.map(result => result.status === 'fulfilled' ? result.value : 'killed'),
      [...Array.from({ length: 8 }, () => 'killed'), 9, 10, 11, 12])
  })

  it('goes by the box around it and by a quota', async () => {
    await assert.rejects(timeout(200, () => timeout.isolated(60_000, work, [], { export: 'spin' }), { label: 'outer' }), /outer/)
    const quota = new Quota(200)
    await assert.rejects(timeout.isolated(quota, work, [], { export: 'spin' }), TimeoutError)
    assert.equal(quota.remaining(), 0)
    assert.equal(currentDeadline(), Infinity)
  })

  it('refuses what it does not take', () => {
    const refused = { code: 'GEORDI_BOX_BAD_OPTION' }
    assert.throws(() => { timeout.isolated(0, work) }, RangeError)
    assert.throws(() => { timeout.isolated(5, './work.js') }, refused)
    assert.throws(() => { timeout.isolated(5, work, [], { runtime: 'vm' as 'process' }) }, refused)
    assert.throws(() => { timeout.isolated(5, work, [], { export: 1 as never }) }, refused)
    assert.throws(() => { timeout.isolated(5, work, 'text' as never) }, refused)
    assert.throws(() => { timeout.isolated(5, work, [], null as never) }, refused)
    assert.throws(() => { timeout.isolated(5, work, [], { errors: Error } as object) }, refused)
  })
})

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { Line } from '../src/line.ts'

const late = () => new Error('too late')
const nothing = () => new Promise<never>(() => {})

describe('a line of requests', () => {
  it('is served a few at a time, with turns of the event loop in between, in order', async () => {
    const line = new Line(100_000)
    let now = 0
    let next = setImmediate(function tick () {
      now++
      next = setImmediate(tick)
    })
    const began: number[] = []
    const order: number[] = []
    let atOnce = 0
    let most = 0
    await Promise.all(Array.from({ length: 40 }, async (_, index) => line.pass(async () => {
      began.push(now)
      order.push(index)
      most = Math.max(most, ++atOnce)
      await turn()
      atOnce--
    }, late)))
    clearImmediate(next)
    assert.equal(most, 4)
    assert.deepEqual(order, order.toSorted((one, other) => one - other))
    assert.ok(new Set(began).size >= 10, `they began in turns ${began}`)
  })

  it('is left by who waits while nobody is answered, in the line and in its turn; what waited is not done', async t => {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const line = new Line(800)
    const done: string[] = []
    const answers = [...Array.from({ length: 4 }, async () => line.pass(nothing, late)), line.pass(async () => { done.push('waited') }, late)]
    const settled = Promise.allSettled(answers)
    t.mock.timers.tick(800)
    assert.deepEqual((await settled).map(({ status }) => status), answers.map(() => 'rejected'))
    assert.deepEqual(done, [])
  })

  it('is stood in for longer while others are answered', async t => {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const line = new Line(800)
    const waiting: Array<() => void> = []
    const answers = Array.from({ length: 12 }, async () => line.pass(() => new Promise<void>(resolve => waiting.push(resolve)), late))
    for (let count = 0; count < answers.length; count++) {
      while (waiting.length === 0) await turn()
      t.mock.timers.tick(700)
      waiting.shift()!()
      await turn()
    }
    await Promise.all(answers)
  })

  it('goes on after one who failed', async () => {
    const line = new Line(100_000)
    const answers = await Promise.allSettled(Array.from({ length: 9 }, async (_, index) => line.pass(async () => {
      if (index < 5) throw late()
      return index
    }, late)))
    assert.deepEqual(answers.map(({ status }) => status === 'fulfilled'), [0, 0, 0, 0, 0, 1, 1, 1, 1].map(Boolean))
  })
})

import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { Drawer } from '../src/drawing/drawer.ts'

/** A recording of so many functions that call one another. */
function recording (functions: number): Buffer {
  const nodes = Array.from({ length: functions }, (_, at) => ({
    id: at + 1,
    callFrame: { functionName: at === 0 ? '(root)' : `warp${at}`, scriptId: '1', url: 'file:///enterprise/warp.js', lineNumber: at, columnNumber: 0 },
    children: [2 * at + 2, 2 * at + 3].filter(id => id <= functions)
  }))
  const samples = nodes.map(({ id }) => id)
  return Buffer.from(JSON.stringify({ nodes, samples, timeDeltas: samples.map(() => 1000), startTime: 0, endTime: functions * 1000 }))
}

function drawer (t: TestContext, limit = 120_000): Drawer {
  const drawer = new Drawer(limit)
  t.after(() => drawer.close())
  return drawer
}

function assertDrawn (report: Uint8Array): void {
  assert.equal(Buffer.from(report).toString('latin1', 0, 5), '%PDF-')
}

describe('a report that is drawn in a thread', () => {
  it('is there, and those drawn at the same time, and after one that can\'t be', async t => {
    const one = drawer(t)
    await one.warmUp()
    for (const report of await Promise.all([recording(10), recording(20)].map(bytes => one.draw(bytes)))) assertDrawn(report)
    await assert.rejects(one.draw(Buffer.from('no profile')), { message: /JSON/ })
    assertDrawn(await one.draw(recording(10)))
  })

  it('leaves the event loop alone, ends when it is not wanted any more, and the next is drawn', async t => {
    const one = drawer(t)
    const abort = new AbortController()
    const drawing = one.draw(recording(200_000), abort.signal)
    // Drawn here, it would keep this from coming until it is there.
    setImmediate(() => abort.abort(new Error('Somebody has had enough.')))
    await assert.rejects(drawing, { message: 'Somebody has had enough.' })
    await assert.rejects(one.draw(recording(10), abort.signal), { message: 'Somebody has had enough.' })
    assertDrawn(await one.draw(recording(10)))
  })

  it('ends with who has it drawn', async t => {
    const one = drawer(t)
    const drawing = assert.rejects(one.draw(recording(200_000)), { message: 'its thread has ended' })
    await one.close()
    await drawing
  })

  it('ends at its limit', async t => {
    await assert.rejects(drawer(t, 1).draw(recording(10)), { message: 'it took longer than 0.001 s, the worker\'s --report-limit' })
  })
})

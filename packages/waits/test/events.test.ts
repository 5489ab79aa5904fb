import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import { test } from 'node:test'
import { patchEvents, type Maker } from '../src/builtins/events.ts'
import { RequestRecorder } from '../src/request-recorder.ts'

test('an emit that others have put in the place of the class\'s is still called', () => {
  const emitter = new EventEmitter()
  const seen: unknown[] = []
  emitter.emit = function (name: string | symbol, ...values: unknown[]) {
    seen.push(name)
    return EventEmitter.prototype.emit.call(this, name, ...values)
  }
  patchEvents(emitter, new WeakMap())
  emitter.once('end', value => seen.push(value))
  assert.equal(emitter.emit('end', 1), true)
  assert.deepEqual(seen, ['end', 1])
})

test('an answer in thousands of pieces needs no record for each', () => {
  const emitter = new EventEmitter()
  const recorder = new RequestRecorder({ continuations: false })
  recorder.start()
  const makers = new WeakMap<object, Maker>([[emitter, { recorder, record: recorder.record(true) }]])
  patchEvents(emitter, makers)
  const entered = new Set<number>()
  emitter.on('data', () => entered.add(recorder.current))
  for (let count = 0; count < 1000; count++) emitter.emit('data')
  assert.ok(recorder.stop().records.parent.length < 10)
  assert.equal(entered.size, 1)
  assert.ok(!entered.has(0))
})

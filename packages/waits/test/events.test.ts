import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import { test } from 'node:test'
import { patchEvents } from '../src/builtins/events.ts'

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

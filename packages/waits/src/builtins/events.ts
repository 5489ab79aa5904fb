import { EventEmitter } from 'node:events'
import type { Recorder } from '../recorder.ts'

/** Who has made something that tells of itself by events. */
export interface Maker {
  readonly recorder: Recorder
  readonly record: number
}

/**
 * Has the listeners of a class's objects be called in the name of who made them, where that isn't done by other code of the application. `emit` instead of
 * listeners, which the app could count, or want to remove.
 */
export function patchEvents (prototype: object, makers: WeakMap<object, Maker>): void {
  Object.defineProperty(prototype, 'emit', {
    configurable: true,
    writable: true,
    value: function emit (this: EventEmitter, name: string, ...values: unknown[]): unknown {
      // Looked up each time: the module `domain` replaces it when it is loaded.
      const { emit } = EventEmitter.prototype
      const { recorder, record } = makers.get(this) ?? {}
      if (recorder === undefined || record === undefined || !recorder.isRunning || (recorder.current !== 0 && !recorder.inDriver)) return Reflect.apply(emit, this, [name, ...values])
      return recorder.enter(recorder.besides(record), emit, this, [name, ...values])
    }
  })
}

import type { EventEmitter } from 'node:events'
import type { Recorder } from '../recorder.ts'

/** Who has made something that tells of itself by events. */
export interface Maker {
  readonly recorder: Recorder
  readonly record: number
  /** The record that its listeners run in, from the first event on: a long answer comes in thousands of pieces. */
  beside?: number
}

/**
 * Has the listeners of an object, or of all of a class's, be called in the name of who made it, where that isn't done by other code of the application. `emit`
 * instead of listeners, which the app could count, or want to remove.
 *
 * @param emitter A prototype, or one object where there are many of its class that are nobody's: the messages that a web server gets.
 */
export function patchEvents (emitter: object, makers: WeakMap<object, Maker>): void {
  // Others' patches, of tracing, say.
  const own = Object.getOwnPropertyDescriptor(emitter, 'emit')?.value as Function | undefined
  Object.defineProperty(emitter, 'emit', {
    configurable: true,
    writable: true,
    value: function emit (this: EventEmitter, name: string, ...values: unknown[]): unknown {
      // Looked up each time: others replace it, the module `domain` when it is loaded.
      const emit = own ?? (Object.getPrototypeOf(emitter) as EventEmitter).emit
      const maker = makers.get(this)
      if (maker === undefined) return Reflect.apply(emit, this, [name, ...values])
      const { recorder, record } = maker
      if (!recorder.isRunning || (recorder.current !== 0 && !recorder.inDriver)) return Reflect.apply(emit, this, [name, ...values])
      maker.beside ??= recorder.besides(record)
      return recorder.enter(maker.beside, emit, this, [name, ...values])
    }
  })
}

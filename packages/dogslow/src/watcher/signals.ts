import { Session } from 'node:inspector'
import { constants } from 'node:os'
import { SIGNALS, type Signal } from '../shared.ts'

interface SignalHandle {
  onsignal: (signal: number) => void
  start (signal: number): number
  stop (): void
  close (): void
}

type SignalClass = new () => SignalHandle

/**
 * Hears a signal in this thread, so that it is heard while the main thread hangs. `process.on` hears none in a thread, but libuv's handles do; Node has
 * their class in `process.binding`'s scope. @returns `undefined` where this Node has it not.
 */
export function hearSignals (heard: (signal: Signal) => void): SignalHandles | undefined {
  const Signal = findSignalClass()
  return Signal === undefined ? undefined : new SignalHandles(Signal, heard)
}

export class SignalHandles {
  readonly #handles = new Map<Signal, SignalHandle>()

  constructor (Signal: SignalClass, heard: (signal: Signal) => void) {
    for (const signal of Object.keys(SIGNALS) as Signal[]) {
      const handle = new Signal()
      handle.onsignal = () => heard(signal)
      if (handle.start(constants.signals[signal]) === 0) this.#handles.set(signal, handle)
      else handle.close()
    }
  }

  /** Lets a signal do what it would have done without us. */
  passOn (signal: Signal): void {
    this.#handles.get(signal)?.stop()
    process.kill(process.pid, signal)
  }

  close (): void {
    for (const handle of this.#handles.values()) handle.close()
    this.#handles.clear()
  }
}

function findSignalClass (): SignalClass | undefined {
  const session = new Session()
  const found: { Signal?: unknown } = {}
  const key = Symbol.for('@geordi/dogslow/signal')
  try {
    session.connect()
    Object.defineProperty(globalThis, key, { configurable: true, value: found })
    const scopes = ask(session, 'Runtime.getProperties', { objectId: objectOf(session, 'process.binding') })
      .internalProperties?.find(({ name }: Property) => name === '[[Scopes]]')
    for (const scope of ask(session, 'Runtime.getProperties', { objectId: scopes.value.objectId }).result as Property[]) {
      if (scope.value?.objectId === undefined) continue
      const variables = ask(session, 'Runtime.getProperties', { objectId: scope.value.objectId, ownProperties: true }).result as Property[]
      const internalBinding = variables.find(({ name, value }) => name === 'internalBinding' && value?.type === 'function')
      if (internalBinding === undefined) continue
      ask(session, 'Runtime.callFunctionOn', {
        objectId: internalBinding.value!.objectId,
        functionDeclaration: 'function () { globalThis[Symbol.for(\'@geordi/dogslow/signal\')].Signal = this(\'signal_wrap\').Signal }'
      })
      break
    }
  } catch {
    // Another Node than those that are known: then signals are the main thread's affair.
  } finally {
    Reflect.deleteProperty(globalThis, key)
    session.disconnect()
  }
  return typeof found.Signal === 'function' ? found.Signal as SignalClass : undefined
}

interface Property {
  readonly name: string
  readonly value?: { readonly type: string, readonly objectId?: string }
}

function objectOf (session: Session, expression: string): string {
  return ask(session, 'Runtime.evaluate', { expression }).result.objectId
}

/** A session with its own thread answers at once. */
function ask (session: Session, method: string, parameters: object): any {
  let answer: unknown
  session.post(method, parameters, (error, result) => {
    if (error !== null) throw new Error(error.message)
    answer = result
  })
  return answer
}

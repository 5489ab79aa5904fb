import type { Frame, WaitOperation } from '@geordi/profile'
import type { RecordedOperation } from '@geordi/waits/recording'

/** A heartbeat, or what asks now and then: it goes on while the run waits for other things. */
const INTERVAL = 'setInterval'

/** What can be waited for, each with a frame of its own. */
export class Operations {
  /** The recorded ones first, in their order. */
  readonly all: WaitOperation[]
  readonly #frames: Frame[]
  readonly #ids = new Map<string, number>()

  /** @param frames Get those of the operations. */
  constructor (recorded: readonly RecordedOperation[], frames: Frame[]) {
    this.#frames = frames
    this.all = recorded.map(({ kind, target, statement, sync, parameters, connections, values }) => this.#withFrame({
      kind,
      target,
      statement,
      sync,
      ...parameters === true && { parameters },
      ...connections !== undefined && { connections },
      ...values !== undefined && { values },
      ...kind === 'timer' && statement === INTERVAL && { aside: true }
    }))
  }

  /** A package's own of a kind that others have as well: it may hold the run up, but the package may also do it for itself. */
  of (operation: number, packageName: string): number {
    const key = `${operation} ${packageName}`
    let id = this.#ids.get(key)
    if (id === undefined) {
      id = this.all.push(this.#withFrame({ ...this.all[operation] as WaitOperation, target: packageName, aside: true })) - 1
      this.#ids.set(key, id)
    }
    return id
  }

  #withFrame (operation: Omit<WaitOperation, 'frame'>): WaitOperation {
    return { ...operation, frame: operation.sync ? -1 : this.#frames.push({ name: waitName(operation), url: '', line: 0, column: 0 }) - 1 }
  }
}

function waitName ({ kind, statement, target }: Omit<WaitOperation, 'frame'>): string {
  return `(wait) ${[kind, statement, kind === 'sql' || kind === 'cache' ? '' : target].filter(part => part !== '').join(' ')}`
}

import { ReplayError } from './errors.ts'
import type { Sealer } from './seal.ts'
import type { ResultStore } from './store.ts'

/** What an admin can want of a replay that has not ended: that it ends, or to see what it does. */
export type OrderKind = 'cancel' | 'snapshot'

/** What an admin has ordered. */
export interface Order {
  /** Milliseconds since 1970. */
  readonly at: number
  /** Who, if that is known. */
  readonly by?: string
}

/** Milliseconds between two looks of the worker that has the replay. */
const LOOK = 400

/**
 * The way from a page to the worker that has the replay: a sealed note in the store, one of each kind a replay, that the
 * worker looks for. Who can write the store can take a note away, or put back one of the same replay and kind.
 */
export class Orders {
  readonly #store: ResultStore
  readonly #sealer: Sealer

  constructor (store: ResultStore, sealer: Sealer) {
    this.#store = store
    this.#sealer = sealer
  }

  async give (id: string, kind: OrderKind, order: Order): Promise<void> {
    await this.#store.put(id, noteOf(kind), this.#sealer.seal(id, noteOf(kind), Buffer.from(JSON.stringify(order))))
  }

  /** The last order of a kind; null where there is none. @throws ReplayError `GEORDI_SEAL_BROKEN` */
  async given (id: string, kind: OrderKind): Promise<Order | null> {
    const sealed = await this.#store.get(id, noteOf(kind))
    return sealed === null ? null : JSON.parse(this.#sealer.open(id, noteOf(kind), sealed).toString()) as Order
  }

  /**
   * Tells of each new order until it is told to end. One that does not open is told once, to `onError`.
   * @returns ends it
   */
  watch (id: string, onOrder: (kind: OrderKind, order: Order) => void, onError: (error: Error) => void): () => void {
    const last = new Map<OrderKind, number>()
    let isLooking = false
    let isBroken = false
    const look = async (kind: OrderKind) => {
      const order = await this.given(id, kind)
      if (order === null || order.at === last.get(kind)) return
      last.set(kind, order.at)
      onOrder(kind, order)
    }
    const timer = setInterval(() => {
      // One look at a time: a worker's store waits for a server that is away.
      if (isLooking) return
      isLooking = true
      Promise.all([look('cancel'), look('snapshot')]).catch((error: ReplayError) => {
        // That the server is away is told by others.
        if (error.code === 'GEORDI_QUEUE_UNAVAILABLE' || isBroken) return
        isBroken = true
        onError(error)
      }).finally(() => { isLooking = false })
    }, LOOK)
    return () => clearInterval(timer)
  }
}

/** What became of a replay that was cancelled. */
export function cancelled ({ by }: Order): ReplayError {
  return new ReplayError('GEORDI_REPLAY_CANCELLED', `The replay was cancelled${by === undefined ? '' : ` by ${by}`}.`)
}

/** Stored beside the artefacts, under names that none of them has. */
function noteOf (kind: OrderKind): string {
  return `order ${kind}`
}

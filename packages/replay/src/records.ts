import { FINAL_STATES, type Replay } from './record.ts'
import type { Sealer } from './seal.ts'
import type { ResultStore, StoredReplay } from './store.ts'

const RECORD = 'record'

/** The records in the store, which holds them sealed. */
export class Records {
  readonly #store: ResultStore
  readonly #sealer: Sealer

  constructor (store: ResultStore, sealer: Sealer) {
    this.#store = store
    this.#sealer = sealer
  }

  seal (replay: Replay): Buffer {
    return this.#sealer.seal(replay.id, RECORD, Buffer.from(JSON.stringify(replay)))
  }

  /** @throws ReplayError `GEORDI_SEAL_BROKEN` */
  open (id: string, stored: StoredReplay): Replay {
    return JSON.parse(this.#sealer.open(id, RECORD, stored.record).toString()) as Replay
  }

  /** Seals what becomes of a replay with the secret of its record. @throws ReplayError `GEORDI_SEAL_BROKEN` */
  answering (id: string, stored: StoredReplay): Sealer {
    return this.#sealer.answering(id, RECORD, stored.record)
  }

  async write (replay: Replay): Promise<void> {
    await this.#store.write(replay.id, this.seal(replay), FINAL_STATES.has(replay.state))
  }
}

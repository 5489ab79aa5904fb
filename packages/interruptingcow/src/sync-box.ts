import { LimitedBox, type Box } from './box.ts'
import { type Cleanup, dispose } from './cleanups.ts'
import { BoxError } from './errors.ts'

/** What the body of a synchronous box is given. */
export interface SyncBox extends Box {
  /**
   * Opens what must be closed again, and closes it when the box ends. It is registered before it is opened, so
   * nothing is lost wherever the interruption falls.
   *
   * @param open makes it
   * @param close gets it, or `undefined` where the interruption came while `open` ran: it must cope with both, and with
   *   something that was not yet open. Without this function the resource is disposed of by its own method.
   * @returns what was opened
   */
  acquire<T> (open: () => T, close: (resource: T | undefined) => unknown): T
  acquire<T extends Disposable> (open: () => T): T
}

/** A synchronous box from its opening to its end. */
export class RunningSyncBox extends LimitedBox implements SyncBox {
  acquire<T> (open: () => T, close?: (resource: T | undefined) => unknown): T {
    if (this.state !== 'running') {
      throw new BoxError('GEORDI_BOX_REFUSED', `${this.label} is over, so it can't close what would be opened in it now.`)
    }
    let resource: T | undefined
    const cleanup: Cleanup = {
      subject: open,
      run: () => {
        if (close !== undefined) return close(resource)
        if (resource !== undefined) return dispose(resource)
      }
    }
    this.cleanups.push(cleanup)
    try {
      resource = open()
    } catch (error) {
      this.forget(cleanup)
      throw error
    }
    cleanup.subject = resource
    return resource
  }

  /** It is over, in one way or the other. */
  end (state: 'expired' | 'ended'): void {
    if (this.state !== 'running') return
    // An interruption between the two has it called again.
    this.quota?.leave(this, state === 'expired' && this.limiter === this)
    this.state = state
    if (state === 'expired') this.abortSignal()
  }
}

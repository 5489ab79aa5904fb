import type { Server } from 'node:http'
import type { CapturedRequest } from './capture.ts'

/**
 * What the two sides of a replay process agree on: the worker's preload module, which owns the process,
 * and the plugin inside the user's app, which finds the preload by this global. They can't import each
 * other, and the app may have its own copy of this package, so the global is a registered symbol.
 */
const KEY = Symbol.for('geordi.replay-process')

/** `GEORDI_REPLAY=1` tells an app that it runs in a replay process, where it may leave its consumers and timers out. */
export const REPLAY_VARIABLE = 'GEORDI_REPLAY'

/** A replay process as the plugin sees it. */
export interface ReplayProcess {
  /** The request that is about to be replayed; undefined until it is known. */
  readonly request: Omit<CapturedRequest, 'body'> | undefined
  /** The plugin says which app is the one to send the request to. */
  attach (app: ReplayedApp): void
}

/** The app that holds the plugin. */
export interface ReplayedApp {
  readonly server: Server
  /** Whether the app would turn a request away just now because of its own load (@fastify/under-pressure). */
  isOverloaded (): boolean
  close (): Promise<void>
}

/** The replay process this code runs in; undefined in a web process. */
export function replayProcess (): ReplayProcess | undefined {
  return (globalThis as { [KEY]?: ReplayProcess })[KEY]
}

/** For the worker's preload module: makes this process a replay process. */
export function becomeReplayProcess (process: ReplayProcess): void {
  Object.defineProperty(globalThis, KEY, { value: process })
}

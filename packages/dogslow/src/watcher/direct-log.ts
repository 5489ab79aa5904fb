import { writeSync } from 'node:fs'
import { hostname } from 'node:os'
import type { WatcherData } from '../messages.ts'
import type { DogslowEvent } from '../report.ts'
import { renderText } from '../text.ts'

/** pino's number for `warn`. */
const WARN = 40

/** Writes to the app's log what the main thread can't, because it is blocked or about to end. @returns Whether it was done. */
export function writeLog (log: WatcherData['log'], event: DogslowEvent): boolean {
  if (log === undefined) return false
  const line = log.json === undefined
    ? renderText(event)
    : JSON.stringify({ level: WARN, time: Date.now(), pid: process.pid, hostname: hostname(), ...log.json, dogslow: event, msg: event.summary })
  try {
    writeSync(log.fd, `${line}\n`)
    return log.json !== undefined || !log.again
  } catch {
    // A pipe that is full or closed. The main thread will log it when it can.
    return false
  }
}

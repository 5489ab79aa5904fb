import { closeSync, openSync } from 'node:fs'
import { devNull } from 'node:os'

/** What the event loop of the thread that watches a `vm` timeout takes for itself: 5 on Node 24. One more is for others that open something. */
const NEEDED = 6

/** Empty, but where a box around interrupted what is below. */
const opened: number[] = []

let sufficedAt = -Infinity

/**
 * Where they run out, Node aborts the process (node::Watchdog), instead of throwing.
 * @param age of an answer that will do, in milliseconds: asking takes a dozen system calls
 */
export function hasDescriptors (age: number): boolean {
  if (performance.now() - sufficedAt < age) return true
  closeAll()
  try {
    while (opened.length < NEEDED) opened.push(openSync(devNull, 'r'))
    sufficedAt = performance.now()
    return true
  } catch (error) {
    return !['EMFILE', 'ENFILE'].includes(String((error as NodeJS.ErrnoException).code))
  } finally {
    closeAll()
  }
}

function closeAll (): void {
  // Taken off first: a descriptor that is closed twice may be somebody else's by then.
  for (let descriptor = opened.pop(); descriptor !== undefined; descriptor = opened.pop()) closeSync(descriptor)
}

import { randomBytes } from 'node:crypto'

/** In base64url: 128 random bits, so that an id can't be guessed. */
const BYTES = 16
const ID = /^[\w-]{22}$/

/** A new replay's id. */
export function newReplayId (): string {
  return randomBytes(BYTES).toString('base64url')
}

/** Whether a text has the form of a replay's id: 22 letters, digits, underscores or hyphens. It may be unknown all the same. */
export function isReplayId (text: string): boolean {
  return ID.test(text)
}
